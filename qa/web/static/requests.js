// Requests that change something.

import { api, getJson } from "./dom.js";

// Sends `values` to one of our routes and returns its JSON, null where there is none.
export function call(method, path, values) {
  const options = { method };
  if (values !== undefined) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(values);
  }
  return getJson(api(path), options);
}
