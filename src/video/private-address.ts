import { lookup } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';

const reserved = new BlockList();
for (const [net, bits] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const),
])
  reserved.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ...([
    ['::', 127],
    ['fc00::', 7],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ] as const),
  // Addresses that carry an IPv4 address within: translated, 6to4, Teredo.
  ...([
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['2002::', 16],
    ['2001::', 32],
  ] as const),
])
  reserved.addSubnet(net, bits, 'ipv6');

/**
 * Whether a numeric address is one that only this machine or its own network can reach (loopback, private, link-local, shared, multicast
 * and reserved ranges, in IPv4, IPv6 and IPv4 within IPv6), or is no address at all.
 */
export const isPrivateAddress = (address: string): boolean => {
  const family = isIP(address);
  if (family === 0) return true;
  if (family === 4) return reserved.check(address, 'ipv4');
  const host = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1); // in its shortest spelling
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(host);
  if (mapped === null) return reserved.check(host, 'ipv6') || host.startsWith('::');
  const [high, low] = [parseInt(mapped[1] as string, 16), parseInt(mapped[2] as string, 16)];
  return reserved.check([high >> 8, high & 255, low >> 8, low & 255].join('.'), 'ipv4');
};

/**
 * A name lookup for sockets that fails where a name leads to a private address. Being the very lookup that the connection uses, it cannot be told
 * one address and another a moment later.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '', 0);
    const inside = addresses.find(({ address }) => isPrivateAddress(address));
    if (inside !== undefined) {
      const refusal = new Error(`the name leads to a private address`) as NodeJS.ErrnoException;
      refusal.code = 'EPRIVATE';
      return callback(refusal, '', 0);
    }
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses;
    return callback(null, first?.address ?? '', first?.family ?? 0);
  });
};
