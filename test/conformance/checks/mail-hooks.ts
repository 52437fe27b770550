import { setTimeout as sleep } from 'node:timers/promises'
import { exportJWK, generateKeyPair } from 'jose'
import type { Hint, RawRequest, Receipt, WebhookContext } from '../../../src/connectors/connector.ts'
import type { MailSubscription } from '../../../src/connectors/mail.ts'
import type { Json, JsonObject } from '../../../src/core/json.ts'
import type { Mailbox } from '../../../src/core/mail/message.ts'
import type { MailWebhookStand } from '../mail-bench.ts'
import { elapse, type MailRig } from '../mail-rig.ts'
import { need, short, want, wantSame } from '../verdict.ts'
import { HOUR, type MailCheck, MINUTE, question } from './mail-check.ts'

const VERIFIES =
  'Webhooks.receive: "Verifies on the raw bytes and reads the hints"; what it cannot verify is refused.'

export const MAIL_HOOKS: readonly MailCheck[] = [
  {
    name: 'a subscription is to be renewed in the future, and renewing keeps it working',
    contract:
      'MailSubscription: "`kept` is what the last call returned"; it is asked again before `renewBefore`.',
    async run(rig) {
      const hooked = await subscribed(rig)
      let { kept, renewBefore } = hooked.first
      for (let n = 0; n < 3; n++) {
        const left = renewBefore - rig.io.now()
        want(left > 0, `A subscription has to be renewed ${-left} ms ago`)
        // A day before, as the hub does, or at once where it is due by then.
        elapse(rig, Math.max(MINUTE, left - 24 * HOUR))
        ;({ kept, renewBefore } = await hooked.renew(throughJson(kept)))
        const told = await hooked.arrival()
        want(told.length > 0, `After renewing ${n + 1} time(s), mail that arrives is not told`)
        const mine = await Promise.all(told.map((raw) => hooked.receive(raw)))
        for (const receipt of mine) want(receipt.kind === 'hints', `A notice ends as ${short(receipt)}`)
        wantSame(told.length, 1, 'How often one arrival is told')
      }
    },
  },
  {
    name: 'a subscription whose `kept` is lost or of no use is made anew, and told once',
    contract: 'Mail.subscribe: `kept` is null at first, also where an earlier answer was lost.',
    async run(rig) {
      const hooked = await subscribed(rig)
      for (const kept of [null, { id: 'none', to: 'nowhere' }, 'nonsense', 7]) {
        elapse(rig, MINUTE)
        await hooked.renew(kept)
        const told = await hooked.arrival()
        wantSame(told.length, 1, `After subscribing with kept ${short(kept)}, one arrival is told so often`)
      }
    },
  },
  {
    name: 'a notice is a hint at its mailbox',
    contract: 'Mail: hints have "the resource `mail`… and the mailbox’s `id` or `address` as their id".',
    async run(rig) {
      const { stand } = rig
      const hooked = await subscribed(rig)
      const receipt = await hooked.receive(hooked.raw)
      want(receipt.kind === 'hints', `A genuine notice ends as ${short(receipt)}`)
      want(receipt.eventId !== '', 'A notice without an eventId is taken again and again')
      want(
        receipt.status >= 200 && receipt.status < 300,
        `A genuine notice is answered with ${receipt.status}`,
      )
      wantHint(receipt.hints, 'mail', hooked.box)
      if (stand.other === undefined) return
      const other = await subscribed(rig, stand.other)
      const another = await other.receive(other.raw)
      want(another.kind === 'hints', `A notice of the other mailbox ends as ${short(another)}`)
      wantHint(another.hints, 'mail', other.box)
    },
  },
  {
    name: 'a notice repeated is the same event, another notice another',
    contract: 'Receipt.eventId: "makes repeated deliveries one".',
    async run(rig) {
      const hooked = await subscribed(rig)
      const first = eventOf(await hooked.receive(hooked.raw))
      wantSame(
        eventOf(await hooked.receive(hooked.raw)),
        first,
        'The same notice has another eventId the second time',
      )
      elapse(rig, MINUTE)
      const [next] = await hooked.arrival()
      want(next !== undefined, 'A second arrival is not told')
      want(
        eventOf(await hooked.receive(next)) !== first,
        'Two arrivals have one eventId: one would be dropped',
      )
    },
  },
  {
    name: 'a notice under another secret is refused',
    contract: VERIFIES,
    async run(rig) {
      const hooked = await subscribed(rig)
      const secret = need(hooked.stand.secret, 'the vendor signs with keys of its own')
      for (const wrong of [`${secret}x`, secret.slice(0, -1), 'another', ''])
        wantRefused(
          await hooked.receive(hooked.raw, { secret: wrong }),
          `A notice under the secret ${short(wrong)}`,
        )
    },
  },
  {
    name: 'a forged notice is refused',
    contract: VERIFIES,
    async run(rig) {
      const hooked = await subscribed(rig)
      const { stand, raw } = hooked
      const bare = { ...raw, headers: new Headers(), body: new TextEncoder().encode('{}') }
      wantRefused(await hooked.receive(bare), 'A notice without anything')
      for (const forged of (await stand.forgeries?.(raw)) ?? [])
        wantRefused(await hooked.receive(forged.raw), `A notice forged (${forged.what})`)
      for (const { what, settings } of stand.elsewhere ?? [])
        wantRefused(
          await hooked.receive(raw, { settings }),
          `A notice meant for another connection (${what})`,
        )
    },
  },
  {
    name: 'a notice is verified against the keys that the vendor publishes, and no others',
    contract: 'WebhookContext.keys: "What keysUrl serves (RFC 7517)"; null where there is none.',
    async run(rig) {
      const hooked = await subscribed(rig)
      const genuine = need(await hooked.stand.keys?.(), 'the vendor does not sign with keys')
      want(rig.connector.webhooks?.keysUrl !== undefined, 'keysUrl does not say where the keys are')
      const others = { keys: await othersKeys(genuine) }
      for (const keys of [null, {}, { keys: [] }, { keys: 'none' }, others])
        wantRefused(await hooked.receive(hooked.raw, { keys }), `A notice with the keys ${short(keys)}`)
    },
  },
  {
    name: 'a notice that was recorded and is sent again much later is refused',
    contract: VERIFIES,
    async run(rig) {
      const hooked = await subscribed(rig)
      const livesMs = need(hooked.stand.livesMs, 'the vendor signs no time')
      wantRefused(await hooked.receive(hooked.raw, { now: rig.io.now() + livesMs + HOUR }), 'An old notice')
      const fine = await hooked.receive(hooked.raw, { now: rig.io.now() + MINUTE })
      want(fine.kind === 'hints', `A notice that took a minute ends as ${short(fine)}`)
    },
  },
  {
    name: 'a notice of nonsense never throws, and never hints',
    contract: 'Webhooks.receive reads what anybody may send: an exception is a way to stop the hub.',
    async run(rig) {
      const hooked = await subscribed(rig)
      for (const text of [
        '',
        '{',
        'null',
        '[]',
        '{"value":7}',
        '{"message":{"data":"%"}}',
        '\u0000',
        'x'.repeat(500_000),
      ])
        for (const headers of [hooked.raw.headers, new Headers({ authorization: 'Bearer a.b.c' })])
          for (const url of [hooked.raw.url, 'nonsense', '']) {
            const raw = { method: 'POST', url, headers, body: new TextEncoder().encode(text) }
            const receipt = await hooked.receive(raw)
            want(
              receipt.kind === 'refused' || (receipt.kind === 'hints' && receipt.hints.length === 0),
              `A notice with the body ${short(text.slice(0, 20))} at ${short(url)} ends as ${short(receipt)}`,
            )
          }
    },
  },
  {
    name: 'the handshake of a subscription is answered as the vendor wants it',
    contract: 'Receipt handshake: its status and body go back as they are.',
    async run(rig) {
      const hooked = await subscribed(rig)
      const receipt = await hooked.receive(need(hooked.stand.handshake, 'the vendor asks for none'))
      want(receipt.kind === 'handshake' && receipt.status === 200, `A handshake ends as ${short(receipt)}`)
    },
  },
  {
    name: 'a subscription that the vendor gives up is hinted at, and can be made again',
    contract: 'Mail: the resource "`mail/subscription` where the subscription itself is at stake".',
    async run(rig) {
      const hooked = await subscribed(rig)
      const lapse = need(hooked.stand.lapse, 'the vendor gives no subscription up')
      await lapse(rig.stand.address)
      const told = await hooked.stand.deliveries()
      const hints = await Promise.all(told.map((raw) => hooked.receive(raw)))
      wantHint(
        hints.flatMap((receipt) => (receipt.kind === 'hints' ? receipt.hints : [])),
        'mail/subscription',
        hooked.box,
      )
      await hooked.renew(throughJson(hooked.first.kept))
      want((await hooked.arrival()).length > 0, 'After subscribing again, mail that arrives is not told')
    },
  },
  {
    name: 'listening tells of mail that arrives, and ends when it is stopped',
    contract: 'Mail.listen: "calls `changed` when the mailbox changes. Resolves when `stop` aborts".',
    async run(rig) {
      const { stand, mail, io } = rig
      const listen = need(mail.listen, 'the connector holds no connection open')
      const stop = new AbortController()
      let told = 0
      const listening = listen(io, await rig.box(), () => void told++, stop.signal)
      for (let n = 0; n < LISTENS && told === 0; n++) {
        await stand.deliver(stand.address, question(rig))
        await sleep(LISTENS_MS)
      }
      want(told > 0, `${LISTENS} messages arrived, and nobody was told`)
      stop.abort()
      const ended = await Promise.race([listening.then(() => 'ended'), sleep(5 * LISTENS_MS, 'goes on')])
      wantSame(ended, 'ended', 'Once it was stopped, listening')
    },
  },
]

const LISTENS = 8
/** Of the real clock: a connection that is held open knows no other. */
const LISTENS_MS = 500

type Otherwise = Partial<WebhookContext> & { readonly secret?: string; readonly now?: number }
type Hooked = {
  readonly stand: MailWebhookStand
  readonly box: Mailbox
  readonly first: MailSubscription
  /** What the vendor sent when mail arrived. */
  readonly raw: RawRequest
  renew(kept: Json): Promise<MailSubscription>
  /** Mail arrives, and what the vendor sends of it. */
  arrival(): Promise<readonly RawRequest[]>
  receive(raw: RawRequest, otherwise?: Otherwise): Promise<Receipt>
}

/** Subscribes to a mailbox, has mail arrive, and takes what the vendor sends. */
async function subscribed(rig: MailRig, address = rig.stand.address): Promise<Hooked> {
  const { stand: vendor, mail } = rig
  const subscribe = need(mail.subscribe, 'the connector subscribes to nothing: it is polled, or listens')
  const webhooks = need(rig.connector.webhooks, 'the connector has no webhooks')
  const stand = need(vendor.webhooks, 'the stand delivers no webhooks')
  const box = await rig.box(address)
  const renew = async (kept: Json) => {
    const made = await subscribe(rig.io, box, kept, { url: stand.url, secret: stand.secret })
    want(made !== null, 'subscribe gave null, although there is an address and a secret')
    return made
  }
  const arrival = async () => {
    elapse(rig, 5_000)
    await stand.deliveries()
    await vendor.deliver(address, question(rig))
    return stand.deliveries()
  }
  const first = await renew(null)
  const [raw] = await arrival()
  want(raw !== undefined, `After subscribe, mail that arrives for ${address} is not told`)
  const keys = (await stand.keys?.()) ?? null
  return {
    stand,
    box,
    first,
    raw,
    renew,
    arrival,
    async receive(one, { secret, now, ...context } = {}) {
      // Whoever has none is given what nobody knows, as the hub does.
      const known = secret ?? stand.secret ?? 'f3b1c9d0'
      return webhooks.receive(one, known, now ?? rig.io.now(), {
        settings: vendor.settings,
        keys,
        ...context,
      })
    },
  }
}

const throughJson = (kept: Json) => JSON.parse(JSON.stringify(kept)) as Json

function wantHint(hints: readonly Hint[], resource: string, { id, address }: Mailbox): void {
  const found = hints.some((hint) => hint.resource === resource && [id, address].includes(hint.id))
  want(found, `There is no hint ${resource} at ${address} (${id}), but ${short(hints)}`)
}

function eventOf(receipt: Receipt): string {
  want(receipt.kind === 'hints', `A genuine notice ends as ${short(receipt)}`)
  return receipt.eventId
}

function wantRefused(receipt: Receipt, what: string): void {
  want(receipt.kind === 'refused', `${what} should be refused, but ends as ${short(receipt)}`)
  want(receipt.reason !== '', `${what} is refused without a reason`)
}

/** Keys that somebody else made, under the names of the vendor's own. */
async function othersKeys({ keys }: JsonObject): Promise<JsonObject[]> {
  const { publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = JSON.parse(JSON.stringify(await exportJWK(publicKey))) as JsonObject
  return (Array.isArray(keys) ? keys : []).map((key) => ({ ...(key as JsonObject), ...jwk }))
}
