/**
 * Who a client is, and what it may do: principals with named rights, authenticators, and the
 * authentication file with its hashes.
 *
 * @module
 */
export {
  type Authenticator,
  checkAuthenticator,
  type Credentials,
  type LoginAttempt,
} from "./authenticator.ts";
export { type Permission, Principal } from "./principal.ts";
export {
  AuthFileError,
  type AuthTable,
  type NamedRights,
  parseAuthFile,
  type RightsGrammar,
  type TextCheck,
} from "./auth_file.ts";
export { FileAuthenticator } from "./file_authenticator.ts";
export { hashPassword, hashToken, verifyPassword } from "./credential_hash.ts";
