import { plainAddress } from './address.ts'

/** Local parts that answer nobody; also as a word of them: `orders-noreply@`, `no_reply.shop@`. */
const NO_REPLY = /(?:^|[._+-])(?:no|not|dont|do[._-]?not)[._-]?(?:reply|respond|answer)s?(?:$|[._+-]|\d)/
const DAEMON = /^(?:mailer[._-]?daemon|mail[._-]?daemon|postmaster|majordomo|listserv)$/
/** Addresses made for one message, which lead back into a program: VERP bounces, unsubscribe links. */
const RETURN = /^(?:bounces?|unsubscribe|unsub|prvs|srs0|srs1|btv1)(?:$|[+=-])/

/** An address behind which no person reads: no-reply, mailer daemons, bounce addresses. By its local part alone. */
export function isMachine(address: string): boolean {
  const plain = plainAddress(address)
  const local = plain.slice(0, Math.max(plain.lastIndexOf('@'), 0))
  return NO_REPLY.test(local) || DAEMON.test(local) || RETURN.test(local)
}

/** Who tells of undelivered mail. */
export function isDaemon(address: string): boolean {
  return DAEMON.test(plainAddress(address).replace(/@.*$/, ''))
}
