// api.js: requests to the server, whole and as streams of events.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let askForKey = async () => null;
/** How to get a key from the person, if the server wants one. */
export function setKeySource(f) {
  askForKey = f;
}

function headers(body) {
  const h = {};
  const key = sessionStorage.getItem("key");
  if (body !== undefined) h["Content-Type"] = "application/json";
  if (key) h.Authorization = `Bearer ${key}`;
  return h;
}

async function failure(response) {
  let message = `${response.status} ${response.statusText}`;
  try {
    const text = await response.text();
    message = JSON.parse(text).error.message ?? message;
  } catch {
    // not the API's shape: the status says it
  }
  const wait = response.headers.get("Retry-After");
  return new ApiError(response.status, wait ? `${message}; again in ${wait} s` : message);
}

async function send(path, body, signal) {
  const options = { headers: headers(body), signal, cache: "no-store" };
  if (body !== undefined) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  const response = await fetch(path, options);
  if (response.status === 401) {
    const key = await askForKey();
    if (key) {
      sessionStorage.setItem("key", key);
      return send(path, body, signal);
    }
  }
  if (!response.ok) throw await failure(response);
  return response;
}

export const getJson = async (path, signal) => (await send(path, undefined, signal)).json();
export const getText = async (path, signal) => (await send(path, undefined, signal)).text();
export const postJson = async (path, body, signal) => (await send(path, body, signal)).json();

/** The events of a stream, parsed. */
export async function* events(path, body, signal) {
  const response = await send(path, { ...body, stream: true }, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((l) => l.startsWith("data:")).map((l) => l.slice(5).trim()).join("\n");
      if (!data) continue;
      if (data === "[DONE]") return;
      const event = JSON.parse(data);
      if (event.error) throw new ApiError(0, event.error.message);
      yield event;
    }
  }
}
