/** The largest message, in bytes, that a NATS server can be made to take. */
export const MAX_PAYLOAD = 67_108_864;
