import { BlockList, isIP } from 'node:net'

/**
 * Not for public use: https://www.iana.org/assignments/iana-ipv4-special-registry and
 * https://www.iana.org/assignments/iana-ipv6-special-registry. IPv4 written as IPv6 is covered by `BlockList`.
 */
const PRIVATE_NETS: readonly (readonly [net: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]
const privateNets = new BlockList()
for (const [net, prefix, family] of PRIVATE_NETS) privateNets.addSubnet(net, prefix, family)

/**
 * Why a request may not go to `url`, or null. It goes to https only, and never to a private address; a connection
 * whose own `settings.baseUrl` is on this machine (a sandbox) may also use http and loopback addresses.
 *
 * The name is not resolved: a public name that points to a private address passes. Keep untrusted names out of the
 * settings, or the hub behind an egress proxy, where that matters.
 */
export function refusalOf(url: URL, settingsBaseUrl: string | null): string | null {
  if (isLoopback(url)) {
    return settingsBaseUrl !== null && URL.canParse(settingsBaseUrl) && isLoopback(new URL(settingsBaseUrl))
      ? null
      : `${url.host} is this machine. Fix: set the connection's baseUrl to it, if that is meant.`
  }
  if (url.protocol !== 'https:') return `${url.origin} is not https.`
  return isPrivate(url) ? `${url.host} is a private address.` : null
}

function isLoopback(url: URL): boolean {
  const host = bareHost(url)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
  )
}

function isPrivate(url: URL): boolean {
  const host = bareHost(url)
  const version = isIP(host)
  return version !== 0 && privateNets.check(host, version === 4 ? 'ipv4' : 'ipv6')
}

/** `URL` has already turned `0x7f.1` and its like into the usual form. */
const bareHost = (url: URL) => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
