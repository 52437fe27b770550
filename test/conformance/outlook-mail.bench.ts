import type { RawRequest } from '../../src/connectors/connector.ts'
import { outlook } from '../../src/connectors/outlook/index.ts'
import { sandboxFetch } from '../../src/sandbox/faults.ts'
import { createGraphSandbox, type GraphSandbox, type Switches } from '../../src/sandbox/graph/index.ts'
import { letter, person } from '../../src/sandbox/mail/letter.ts'
import { seeded } from '../../src/sandbox/seeded.ts'
import type { MailBench, MailStand, MailWebhookStand } from './mail-bench.ts'

const T0 = Date.parse('2026-03-01T09:00:00Z')
const ANNA = 'anna@contoso.example'
const BEN = 'ben@contoso.example'
const HOOK = 'https://hub.example/webhooks/outlook'
const SECRET = 'whsec-0123456789abcdef'

/** An application that reads two mailboxes of a tenant, with the traps of delta that the vendor is known for. */
export const outlookMailBench: MailBench = mailBench({
  emptyPages: 0.2,
  repeats: 0.1,
  ghosts: 0.2,
  sparseUpdates: true,
})

function mailBench(switches: Partial<Switches>): MailBench {
  return {
    name: 'outlook',
    async open() {
      const clock = { now: T0 }
      const posted: RawRequest[] = []
      const graph = createGraphSandbox({
        now: () => clock.now,
        random: seeded(13),
        users: [ANNA, BEN],
        tokenSeconds: 365 * 86_400,
        switches,
        deliver: receiver(posted, clock),
      })
      const unreadable = new Set<string>()
      return {
        connector: () => outlook,
        secrets: { clientId: graph.application.id, accessToken: graph.token() },
        settings: {
          tenant: 'contoso.example',
          baseUrl: 'http://127.0.0.1:4015',
          mailboxes: [ANNA, BEN],
          webhookUrl: HOOK,
        },
        transport: garbling(sandboxFetch(graph.app), unreadable),
        clock,
        badSecrets: [{}, { clientId: graph.application.id, accessToken: 'eyJ0.wrong.wrong' }],
        badSettings: [
          { field: 'mailboxes', settings: { mailboxes: [] } },
          { field: 'mailboxes', settings: { mailboxes: ['nobody@contoso.example'] } },
        ],
        faults: graph.faults,
        address: ANNA,
        other: BEN,
        nobody: {
          id: '7d1e0000-0000-4000-8000-000000000000',
          address: 'nobody@contoso.example',
          addresses: [],
        },
        // Four folders are asked for 50 each at once; the vendor may bring some of those before along again.
        pageMax: 250,
        threePages: 80,
        unknownIds: ['AAkANobody='],
        ...owners(graph, unreadable),
        webhooks: notices(graph, posted),
      }
    },
  }
}

type Owners = Omit<
  MailStand,
  | 'connector'
  | 'secrets'
  | 'settings'
  | 'transport'
  | 'clock'
  | 'faults'
  | 'address'
  | 'other'
  | 'nobody'
  | 'pageMax'
  | 'threePages'
  | 'unknownIds'
  | 'webhooks'
>

function owners({ people, vendor, state }: GraphSandbox, unreadable: Set<string>): Owners {
  const idOf = ({ ids }: { readonly ids: { readonly immutable: string } } = { ids: { immutable: '' } }) =>
    ids.immutable
  const hasFolder = (mailbox: string, name: string) => {
    const user = state.users.find(({ address }) => address === mailbox)
    const folders = user === undefined ? undefined : state.mailboxes.get(user.id)?.folders
    return [...(folders?.values() ?? [])].some(({ displayName }) => displayName === name)
  }
  return {
    deliver: (mailbox, mail, at) => idOf(people.deliver(mailbox, mail, at === undefined ? {} : { at })[0]),
    send: (mailbox, mail) => idOf(people.send(mailbox, mail)),
    draft: (mailbox, mail) => idOf(people.makeDraft(mailbox, mail)),
    file(mailbox, id, name) {
      if (!hasFolder(mailbox, name)) people.createFolder(mailbox, name)
      return idOf(people.move(mailbox, id, name))
    },
    unfile: (mailbox, id) => idOf(people.move(mailbox, id, 'inbox')),
    rename(mailbox, id, name, to) {
      people.renameFolder(mailbox, name, to)
      return id
    },
    spam: (mailbox, id) => idOf(people.move(mailbox, id, 'junkemail')),
    trash: (mailbox, id) => idOf(people.softDelete(mailbox, id)),
    remove: (mailbox, id) => people.hardDelete(mailbox, id),
    unreadable(mailbox) {
      const id = idOf(people.send(mailbox, letter({ from: person(mailbox), subject: 'Odd' })))
      unreadable.add(id)
      return id
    },
    expire: (mailbox) => vendor.expireDelta(mailbox),
    contents: (mailbox) =>
      people
        .messages(mailbox)
        .map(({ ids, folder, isRead, version, categories }) => [
          ids.immutable,
          folder.displayName,
          isRead,
          version,
          categories,
        ]),
  }
}

/** Whose MIME is empty: it has to be read, as Graph has no headers of sent mail. */
function garbling(inner: typeof fetch, unreadable: ReadonlySet<string>): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const [, id = ''] = /\/messages\/([^/]+)\/\$value$/.exec(new URL(request.url).pathname) ?? []
    return unreadable.has(decodeURIComponent(id)) ? new Response('') : inner(request)
  }
}

/** Answers as the hub does when Graph asks whether anybody is there, and keeps what it is told. */
function receiver(posted: RawRequest[], clock: { now: number }): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { method, url, headers } = request
    const raw = { method, url, headers, body: new Uint8Array(await request.arrayBuffer()) }
    const receipt = await outlook.webhooks?.receive(raw, SECRET, clock.now, { settings: {}, keys: null })
    if (receipt?.kind === 'handshake')
      return new Response(receipt.body, { status: receipt.status, headers: { 'content-type': 'text/plain' } })
    posted.push(raw)
    return new Response(null, { status: 202 })
  }
}

function notices({ flushNotifications, vendor }: GraphSandbox, posted: RawRequest[]): MailWebhookStand {
  return {
    url: HOOK,
    secret: SECRET,
    async deliveries() {
      await flushNotifications()
      return posted.splice(0)
    },
    async forgeries(genuine) {
      const text = new TextDecoder().decode(genuine.body)
      const by = (body: string): RawRequest => ({ ...genuine, body: new TextEncoder().encode(body) })
      return [
        { what: 'with another clientState', raw: by(text.replaceAll(SECRET, 'guessed')) },
        { what: 'with a part of the clientState', raw: by(text.replaceAll(SECRET, SECRET.slice(0, -1))) },
        { what: 'without a clientState', raw: by(text.replaceAll(`"clientState":"${SECRET}",`, '')) },
        { what: 'with nothing in it', raw: by('{"value":[]}') },
      ]
    },
    handshake: {
      method: 'POST',
      url: `${HOOK}?validationToken=Validation%3A+testing`,
      headers: new Headers(),
      body: new Uint8Array(),
    },
    lapse: () => vendor.removeSubscription(),
  }
}
