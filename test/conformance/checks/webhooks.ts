import type { RawRequest, Receipt } from '../../../src/connectors/connector.ts'
import type { WebhookStand } from '../bench.ts'
import { pass, type Rig } from '../rig.ts'
import { need, present, short, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'

const MINUTE = 60_000
/** What hints about mail name, which is no resource. */
const MAIL = new Set(['mail', 'mail/subscription'])
const CONTRACT =
  'Webhooks.receive: "Verifies on the raw bytes and reads the hints"; what it cannot verify is refused.'

export const WEBHOOKS: readonly Check[] = [
  {
    name: 'a webhook hints at an object that fetch then shows',
    contract: 'Hint: "A webhook is a hint that something changed; the object itself is fetched."',
    per: 'resource',
    async run(rig) {
      const { raw, id, receive } = await delivered(rig)
      const receipt = await receive(raw)
      want(receipt.kind === 'hints', `A good webhook ends as ${short(receipt)}`)
      want(receipt.status >= 200 && receipt.status < 300, `A good webhook is answered with ${receipt.status}`)
      want(receipt.eventId !== '', 'A webhook without an eventId is taken again and again')
      const mine = receipt.hints.filter(({ resource }) => resource === rig.resourceName)
      for (const { resource } of receipt.hints)
        want(
          rig.connector.resources[resource] !== undefined ||
            (rig.connector.mail !== undefined && MAIL.has(resource)),
          `A hint names ${resource}, which is no resource`,
        )
      want(mine.length > 0, `An edit of ${id} gives no hint at ${rig.resourceName}`)
      const fetched = await rig.resource.fetch(
        rig.io,
        mine.map((hint) => hint.id),
      )
      const [now] = await rig.resource.fetch(rig.io, [id])
      wantSame(
        fetched.find((seen) => seen.id === id),
        present(now, id),
        'Fetching what was hinted at',
      )
    },
  },
  {
    name: 'a webhook with a wrong, empty or missing secret is refused',
    contract: CONTRACT,
    per: 'connector',
    async run(rig) {
      const { raw, secret, receive } = await delivered(rig)
      for (const wrong of [`${secret}x`, secret.slice(0, -1), 'another', ''])
        wantRefused(
          await receive(raw, { secret: wrong }),
          `A webhook under the secret of another connection (${short(wrong)})`,
        )
      const bare = { ...raw, url: raw.url.split('?')[0] ?? '', headers: new Headers() }
      wantRefused(await receive(bare), 'A webhook without signature or secret')
    },
  },
  {
    name: 'a webhook whose bytes were changed is refused',
    contract: CONTRACT,
    per: 'connector',
    async run(rig) {
      const { raw, stand, receive } = await delivered(rig)
      if (!stand.signs) need(null, 'the vendor signs nothing: its secret is in the URL')
      const changed = raw.body.slice()
      changed[Math.floor(changed.length / 2)] = (changed[Math.floor(changed.length / 2)] ?? 0) ^ 1
      wantRefused(await receive({ ...raw, body: changed }), 'A webhook with one bit changed')
      wantRefused(await receive({ ...raw, body: raw.body.slice(0, -1) }), 'A webhook cut short')
    },
  },
  {
    name: 'a webhook from long ago, or from the future, is refused',
    contract: CONTRACT,
    per: 'connector',
    async run(rig) {
      const { raw, stand, now, receive } = await delivered(rig)
      if (!stand.signs) need(null, 'the vendor signs no time')
      const aged = await receive(raw, { now: now() + 60 * MINUTE })
      wantRefused(aged, 'A webhook recorded an hour ago and sent again')
      wantRefused(await receive(raw, { now: now() - 60 * MINUTE }), 'A webhook from an hour ahead')
      const fine = await receive(raw, { now: now() + MINUTE })
      want(fine.kind === 'hints', `A webhook that took a minute ends as ${short(fine)}`)
    },
  },
  {
    name: 'a delivery repeated is the same event, another delivery another',
    contract: 'Receipt.eventId: "makes repeated deliveries one".',
    per: 'resource',
    async run(rig) {
      const { raw, stand, id, receive } = await delivered(rig)
      const first = eventId(await receive(raw))
      wantSame(eventId(await receive(raw)), first, 'The same delivery has another eventId the second time')
      pass(rig, 2000)
      await need(rig.at.edit, 'nothing can be edited').act(id)
      const next = stand.deliveries().at(-1)
      if (next === undefined) need(null, 'a second edit of this object is not told')
      else
        want(
          eventId(await receive(next)) !== first,
          'Two events have one eventId: the second would be dropped',
        )
    },
  },
  {
    name: 'an event of an unknown kind is accepted, without a hint',
    contract:
      'Receipt hints: vendors add kinds of events; refusing them has the vendor retry, and then stop for good.',
    per: 'connector',
    async run(rig) {
      const { stand, secret, now, receive } = await delivered(rig)
      const receipt = await receive(stand.sign(stand.unknown, secret, now()))
      want(receipt.kind === 'hints', `An unknown event ends as ${short(receipt)}`)
      wantSame(receipt.hints, [], 'An unknown event gives hints')
    },
  },
  {
    name: 'nonsense never throws, and never hints',
    contract:
      'Webhooks.receive is pure and reads what anybody may send: an exception is a way to stop the hub.',
    per: 'connector',
    async run(rig) {
      const { stand, secret, now, receive } = await delivered(rig)
      for (const body of [
        '',
        '{',
        'null',
        '[]',
        '\u0000\u0001',
        '%',
        'a=%E0%A4%A',
        '{"id":1}',
        'x'.repeat(1_000_000),
      ]) {
        const receipt = await receive(stand.sign(body, secret, now()))
        want(
          receipt.kind === 'refused' || (receipt.kind === 'hints' && receipt.hints.length === 0),
          `A webhook with the body ${short(body.slice(0, 20))} ends as ${short(receipt)}`,
        )
      }
    },
  },
  {
    name: 'the handshake is answered as the vendor wants it',
    contract: 'Receipt handshake: its status and body go back as they are.',
    per: 'connector',
    async run(rig) {
      const { stand, receive } = await delivered(rig)
      const receipt = await receive(need(stand.handshake, 'the vendor asks for none'))
      want(
        receipt.kind === 'handshake' && receipt.status >= 200 && receipt.status < 300,
        `A handshake ends as ${short(receipt)}`,
      )
    },
  },
  {
    name: 'subscribing twice leaves one subscription, which works',
    contract: 'Webhooks.subscribe: called at every start; two subscriptions would bring every event twice.',
    per: 'connector',
    async run(rig) {
      const { stand } = await delivered(rig)
      const again = await delivered(rig)
      wantSame(stand.subscriptions(), 1, 'After subscribing twice')
      const receipt = await again.receive(again.raw)
      want(receipt.kind === 'hints', `After subscribing again, a webhook ends as ${short(receipt)}`)
    },
  },
]

/** What a delivery is looked at with, where it is not what it should be. */
type Otherwise = { readonly secret?: string; readonly now?: number }

type Delivered = {
  readonly stand: WebhookStand
  readonly secret: string
  /** The object that was edited, and what the vendor sent about it. */
  readonly id: string
  readonly raw: RawRequest
  now(): number
  receive(raw: RawRequest, otherwise?: Otherwise): Promise<Receipt>
}

/** Subscribes, has somebody edit an object, and takes what the vendor sends. */
async function delivered(rig: Rig): Promise<Delivered> {
  const webhooks = need(rig.connector.webhooks, 'the connector has no webhooks: it is polled')
  const stand = need(rig.stand.webhooks, 'the stand delivers no webhooks')
  const edit = need(rig.at.edit, 'nothing can be edited at this vendor')
  const subscribed = await webhooks.subscribe?.(rig.io, stand.url, stand.secret)
  const secret = subscribed?.secret ?? stand.secret
  want(secret !== null, 'subscribe gave no secret, and the vendor takes none of ours')
  const [id = ''] = await rig.at.seed(1)
  pass(rig, 2000)
  stand.deliveries()
  await edit.act(id)
  const raw = stand.deliveries().at(-1)
  want(raw !== undefined, `After subscribe, an edit of ${id} is not told`)
  const now = () => rig.io.now()
  const { settings } = rig.stand
  return {
    stand,
    secret,
    id,
    raw,
    now,
    async receive(one, otherwise = {}) {
      const at = { secret, now: now(), ...otherwise }
      return webhooks.receive(one, at.secret, at.now, { settings, keys: null })
    },
  }
}

function eventId(receipt: Receipt): string {
  want(receipt.kind === 'hints', `A good webhook ends as ${short(receipt)}`)
  return receipt.eventId
}

function wantRefused(receipt: Receipt, what: string): void {
  want(receipt.kind === 'refused', `${what} should be refused, but ends as ${short(receipt)}`)
  want(receipt.reason !== '', `${what} is refused without a reason`)
}
