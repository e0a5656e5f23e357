// SPDX-License-Identifier: Apache-2.0
// Reads a JSON list of Kubernetes objects from standard input, and writes a list of complaints for each: fields that do not exist
// and values of the wrong type, by @kubernetes/client-node's types and those of types.mjs; what is missing, enumerations and
// quantities, by kubernetes-models. MODULES, the first argument, is the folder that has the packages.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { kinds, types } from './types.mjs';

const require = createRequire(resolve(process.argv[2], 'package.json'));
const client = require('@kubernetes/client-node');

// Field → type, or undefined for a type that is not an object's.
function fieldsOf(type) {
  if (types[type]) return types[type];
  const map = client[type]?.attributeTypeMap;
  return map && Object.fromEntries(map.map((field) => [field.baseName, field.type]));
}

function inner(type, pattern) {
  return type.match(pattern)?.[1];
}

function* checkType(value, type, path) {
  const wrong = (expected) => `${path}: is ${JSON.stringify(value)}, must be ${expected}`;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const element = inner(type, /^(?:Array|Set)<(.*)>$/);
  const entry = inner(type, /^{ \[key: string\]: (.*); }$/);
  if (element) {
    if (!Array.isArray(value)) return yield wrong('a list');
    for (const [i, item] of value.entries()) yield* checkType(item, element, `${path}[${i}]`);
  } else if (entry) {
    if (!isObject) return yield wrong('a map');
    for (const [key, item] of Object.entries(value)) yield* checkType(item, entry, `${path}.${key}`);
  } else if (['string', 'number', 'boolean'].includes(type)) {
    if (typeof value !== type) yield wrong(`a ${type}`);
  } else if (type === 'IntOrString') {
    if (!['number', 'string'].includes(typeof value)) yield wrong('a number or a string');
  } else if (type === 'Date') {
    if (Number.isNaN(Date.parse(value))) yield wrong('a date');
  } else if (type.includes('|')) {
    if (!type.split('|').includes(value)) yield wrong(`one of ${type}`);
  } else if (type !== 'any') {
    if (!isObject) return yield wrong('an object');
    if (type !== 'object') yield* checkObject(value, type, path);
  }
}

function* checkObject(value, type, path) {
  const fields = fieldsOf(type);
  if (!fields) throw new Error(`${path}: there is no type ${type}`);
  for (const [name, item] of Object.entries(value)) {
    if (!fields[name]) yield `${path}.${name}: ${type} has no such field`;
    else yield* checkType(item, fields[name].replace(/!$/, ''), `${path}.${name}`);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (field.endsWith('!') && value[name] === undefined) yield `${path}.${name}: is missing`;
  }
}

function* checkModel(apiVersion, kind, object, path) {
  let Model;
  try {
    Model = require(`kubernetes-models/${apiVersion}/${kind}`)[kind];
  } catch {
    return yield `${path}: there is no ${kind} in ${apiVersion}`;
  }
  try {
    new Model(object).validate();
  } catch (error) {
    yield `${path}: ${error.message}`;
  }
}

// What lies in custom resources and is Kubernetes' own.
function* checkTemplates(jobSet, path) {
  for (const [i, job] of (jobSet?.replicatedJobs ?? []).entries()) {
    yield* checkModel('batch/v1', 'Job', { spec: job.template?.spec }, `${path}.replicatedJobs[${i}]`);
  }
}

function* check(object) {
  const custom = kinds[`${object.apiVersion} ${object.kind}`];
  if (custom) {
    yield* checkObject(object, custom, object.kind);
    if (custom === 'JobSet') yield* checkTemplates(object.spec, 'JobSet.spec');
    if (custom === 'ClusterTrainingRuntime') yield* checkTemplates(object.spec?.template?.spec, `${custom}.spec.template.spec`);
    return;
  }
  const version = object.apiVersion?.split('/').at(-1) ?? '';
  const type = `${version[0]?.toUpperCase()}${version.slice(1)}${object.kind}`;
  if (fieldsOf(type)) yield* checkObject(object, type, object.kind);
  yield* checkModel(object.apiVersion, object.kind, object, object.kind);
}

const objects = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(objects.map((object) => [...check(object)])));
