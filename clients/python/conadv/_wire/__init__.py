# SPDX-License-Identifier: Apache-2.0
"""How bytes get to servers and back. Not for users: it may change at any time."""
