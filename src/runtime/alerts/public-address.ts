import { lookup, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/**
 * Addresses that are not for everybody: this machine, private networks, and what is set aside.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** The ranges that carry IPv4 addresses inside are among them: nobody reaches a receiver through these. */
const V6 = [
  '::/127',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

const closed = new BlockList()
for (const range of V4) {
  const [net = '', bits] = range.split('/')
  closed.addSubnet(net, Number(bits), 'ipv4')
}
for (const range of V6) {
  const [net = '', bits] = range.split('/')
  closed.addSubnet(net, Number(bits), 'ipv6')
}

/** Whether an address is anybody's on the internet. IPv4 addresses written as IPv6 ones count as what they are. */
export function isPublic(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && !closed.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

export class PrivateAddressError extends Error {}

/** Every address of a host name, or an error where there is none. */
export type Resolve = (
  host: string,
  done: (error: Error | null, found: readonly LookupAddress[]) => void,
) => void
const resolveHost: Resolve = (host, done) => lookup(host, { all: true }, done)

/**
 * Looks a host up for a connection that goes only to public addresses: what was checked is what is connected to, so
 * that a name cannot answer otherwise the second time. One private address among them refuses all.
 */
export function publicLookup(resolve: Resolve = resolveHost): LookupFunction {
  return (host, { all }, done) => {
    resolve(host, (error, found) => {
      if (error !== null) return done(error, '', 0)
      const wrong = found.find(({ address }) => !isPublic(address))
      const [first] = found
      if (wrong !== undefined || first === undefined)
        return done(refusal(host, wrong?.address ?? null), '', 0)
      return all === true ? done(null, [...found]) : done(null, first.address, first.family)
    })
  }
}

/** Of a host that is an address itself: it is never looked up. */
export function checkLiteral(host: string): void {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIP(bare) !== 0 && !isPublic(bare)) throw refusal(host, bare)
}

const refusal = (host: string, address: string | null): Error =>
  address === null
    ? new Error(`${host} has no address`)
    : new PrivateAddressError(
        `${host} is ${address === host ? 'an address' : `at ${address},`} inside a network or on this machine, where alerts do not go by themselves. If that is right, say allowPrivate: true for it in alerts.yaml.`,
      )
