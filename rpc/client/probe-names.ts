/**
 * Whether libraries read, or call, a property with this name to find out which kind of value they have: Promises, JSON,
 * Vue, React, Jest, pino, MongoDB. The client has no method of such a name, and the server rejects a config with one.
 */
export function isProbe(name: string): boolean {
  return probe.test(name);
}

// --- Internal helpers ---

const probe =
  /^[^a-z]|^(?:then|catch|finally|toJSON|toBSON|inspect|nodeType|asymmetricMatch|hasAttribute|socket|setHeader)$/i;
