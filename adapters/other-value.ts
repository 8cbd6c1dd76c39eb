/** The name by which OpenTelemetry replaces an unknown value, because a client can choose any text. */
export const other = "_OTHER";
