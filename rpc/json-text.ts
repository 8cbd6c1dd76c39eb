/**
 * The property of a method's result that holds its JSON, which the server sends as it is. It is not enumerable,
 * because a changed copy of the result has other JSON.
 */
export const jsonText = Symbol("JSON text");
