/** How a gateway gets into a cluster: TLS, and credentials of each kind. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { nkeys } from "@nats-io/transport-node";
import {
  connectNats,
  type NatsBackplaneOptions,
  NatsError,
} from "../../../../lib/pubsub/broker/nats/mod.ts";
import { until } from "../../../support/deadline.ts";
import { NatsServer } from "../../../support/nats.ts";
import { ownAddress } from "../../../support/own_address.ts";
import { CA, OTHER_CA, TLS_FILES } from "../../../support/tls.ts";
import { Gateway, nextOf } from "./support.ts";

const decoder = new TextDecoder();

function seedOf(pair: { getSeed(): Uint8Array }): string {
  return decoder.decode(pair.getSeed());
}

/** A token as `nsc` makes them, signed by an nkey. */
function jwt(signer: ReturnType<typeof nkeys.createUser>, subject: string, nats: object): string {
  const part = (value: object) => base64(new TextEncoder().encode(JSON.stringify(value)));
  const iss = signer.getPublicKey();
  const claims = { jti: subject, iat: 1_700_000_000, iss, name: "n", sub: subject };
  const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${
    part({ ...claims, nats: { ...nats, version: 2 } })
  }`;
  return `${text}.${base64(signer.sign(new TextEncoder().encode(text)))}`;
}

function base64(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function credsFile(token: string, seed: string): string {
  const block = (name: string, text: string, dashes: string) =>
    `-----BEGIN ${name}-----\n${text}\n${dashes}END ${name}${dashes}\n\n`;
  return block("NATS USER JWT", token, "------") + block("USER NKEY SEED", seed, "------");
}

async function refusal(url: string, options: NatsBackplaneOptions): Promise<[string, string]> {
  const { code, message } = await assertRejects(() => connectNats([url], options), NatsError);
  return [code, message];
}

/** Two gateways with the same access, over which something is published. */
async function assertCarries(url: string, nats: NatsBackplaneOptions): Promise<void> {
  await using one = await Gateway.start(url, { nats });
  await using other = await Gateway.start(url, { nats });
  await using left = await one.client();
  await using right = await other.client();
  const subscription = await right.subscribe("t");
  await left.publish("t", "carried");
  assertEquals((await nextOf(subscription)).text(), "carried");
}

Deno.test("a gateway uses TLS and trusts whom it is told to, and logs in by password or nkey", async () => {
  const user = nkeys.createUser();
  const tls = `tls { cert_file: "${TLS_FILES.cert}", key_file: "${TLS_FILES.key}" }\n`;
  const users = `{ user: "gate way", password: "s3:c/ret" }, { nkey: ${user.getPublicKey()} }`;
  const config = `${tls}authorization { users: [ ${users} ] }\n`;
  // That is in the certificate.
  const address = { ...ownAddress(), hostname: "127.0.0.1" };
  await using server = await NatsServer.start("TLS and passwords", { config, address });
  if (server === undefined) return;
  const url = `nats://gate%20way:s3%3Ac%2Fret@${server.servers}`;
  await assertCarries(url, { caCert: CA });
  await assertCarries(url.replace("nats:", "tls:").replace("127.0.0.1", "localhost"), {
    caCert: CA,
  });
  await assertCarries(server.url, { caCert: CA, creds: `${seedOf(user)}\n` });
  for (const caCert of [undefined, OTHER_CA]) {
    const [code, message] = await refusal(url, { caCert });
    assertEquals(code, "unusable");
    assert(/no authority .*--nats-tls-ca/.test(message), message);
  }
  const stranger = seedOf(nkeys.createUser());
  const wrong: [string, NatsBackplaneOptions][] = [
    [server.url, {}],
    [url.replace("ret", "pw"), {}],
    [server.url.replace("127", "t0ken@127"), {}],
    [server.url, { creds: stranger }],
    [server.url, { creds: "nothing" }],
    [server.url, { creds: credsFile("no.j.wt", stranger) }],
    [server.url, { creds: credsFile("", "SUX") }],
  ];
  for (const [url, options] of wrong) {
    const [code, message] = await refusal(url, { caCert: CA, ...options });
    assertEquals(code, "unauthorized", message);
    const secrets = ["gate", "s3", "ret", "pw", "t0ken", "nothing", stranger, "wt"];
    assert(secrets.every((secret) => !message.includes(secret)), message);
  }
  assert((await refusal(url, { caCert: "none" }))[1].includes("no certificate in PEM"));
});

Deno.test("a gateway logs in by a file of credentials, and says that it is no longer let in", async () => {
  const [operator, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const limits = { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const accountId = account.getPublicKey();
  const accountJwt = jwt(operator, accountId, { type: "account", limits });
  const config = `operator: "${jwt(operator, operator.getPublicKey(), { type: "operator" })}"\n` +
    `resolver: MEMORY\nresolver_preload: { ${accountId}: "${accountJwt}" }\n`;
  await using server = await NatsServer.start("files of credentials", { config });
  if (server === undefined) return;
  const token = jwt(account, user.getPublicKey(), { type: "user", ...unlimited });
  const creds = credsFile(token, seedOf(user));
  await assertCarries(server.url, { creds });
  const [code] = await refusal(server.url, {
    creds: credsFile(token, seedOf(nkeys.createUser())),
  });
  assertEquals(code, "unauthorized");
  assert((await refusal(`tls://${server.servers}`, { creds }))[1].includes("it has no TLS"));

  // The same place, where others are let in.
  const said: string[] = [];
  const nats = { creds, observer: { refused: (message: string) => said.push(message) } };
  await using gateway = await Gateway.start(server.url, { nats });
  await server.kill();
  await using _other = await NatsServer.start("others are let in", {
    address: server.address,
    config: 'authorization { token: "x" }\n',
  });
  await until(() => said.some((message) => message.includes("does not accept the credentials")));
  assert(!gateway.figures.connected);
  assert(!said.join().includes(token.slice(-20)), said.join());
});
