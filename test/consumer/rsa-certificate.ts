import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const der = (tag: number, ...contents: Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  const length = Buffer.from([0x82, content.length >> 8, content.length & 255]);
  return Buffer.concat([Buffer.from([tag]), content.length < 128 ? Buffer.from([content.length]) : length, content]);
};
const sha256WithRsa = der(0x30, Buffer.from('06092a864886f70d01010b0500', 'hex'));
const utcTime = (text: string) => der(0x17, Buffer.from(text));

/** An RSA key and a certificate of it that nobody vouches for, in PEM. @see RFC 5280 section 4.1 */
export function rsaCertificate(): { privateKey: KeyObject; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const noName = der(0x30);
  const content = der(
    0x30,
    der(0x02, Buffer.from([1])),
    sha256WithRsa,
    noName,
    der(0x30, utcTime('200101000000Z'), utcTime('490101000000Z')),
    noName,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  const base64 = der(0x30, content, sha256WithRsa, signature).toString('base64');
  return { privateKey, cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n` };
}
