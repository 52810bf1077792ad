/** The version of the protocol, as `hello` names it. */
export const PROTOCOL_VERSION = 1;
