// SPDX-License-Identifier: Apache-2.0
"use strict";

const out = document.getElementById("status");

async function show() {
  try {
    const response = await fetch("api/v1/status");
    out.textContent = await response.text();
  } catch (error) {
    out.textContent = `the server does not answer: ${error.message}`;
  }
  setTimeout(show, 1000);
}

show();
