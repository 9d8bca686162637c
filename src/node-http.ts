/**
 * Node's http, for every value of it. An `import` of the module asks for each of its members, WebSocket among them, for which Node loads all of undici:
 * a tenth of a second of each process and thread that starts.
 */
export const { Agent, createServer, get, request } = process.getBuiltinModule("node:http");
