import { imap } from '../../src/connectors/imap/index.ts'
import { remoteId } from '../../src/connectors/imap/folders.ts'
import { compose, withoutBcc } from '../../src/sandbox/mail/letter.ts'
import { type Dovecot, startDovecot, WITHOUT_DOVECOT } from '../connectors/imap.dovecot.ts'
import { plainSettings, type Person, signIn } from '../connectors/imap.support.ts'
import type { MailActs, MailBench } from './mail-bench.ts'
import { Lacking } from './verdict.ts'

const SENT = 'Verschickt'

/** A Dovecot of its own, with a new account for each check. Ids change with the folder, as IMAP has it. */
export function imapMailBench(): MailBench {
  let server: Promise<Dovecot> | null = null
  let accounts = 0
  return {
    name: 'imap',
    async open() {
      if (WITHOUT_DOVECOT !== null) throw new Lacking(WITHOUT_DOVECOT)
      const { port } = await (server ??= startDovecot())
      const address = `ann${++accounts}@acme.example`
      const owner = await signIn(port, address)
      const clock = { now: Date.now() }
      return {
        connector: () => imap,
        secrets: { password: 'secret' },
        settings: plainSettings(port, address),
        clock,
        badSecrets: [{}, { password: 'wr0ng-one' }],
        badSettings: [
          { field: 'host', settings: { host: '' } },
          { field: 'port', settings: { port: 'imap' } },
          { field: 'security', settings: { security: 'some' } },
          { field: 'user', settings: { user: 7 } },
        ],
        address,
        pageMax: 50,
        threePages: 60,
        unknownIds: [remoteId('INBOX', '7', 999_999), remoteId('No such folder', '7', 1)],
        ...ownerOf(owner, clock),
        close: async () => owner.client.close(),
      }
    },
    close: async () => (await server)?.stop(),
  }
}

function ownerOf({ client, raw }: Person, clock: { now: number }): MailActs {
  const idIn = async (folder: string, uid: number) => {
    const { uidValidity } = await client.status(folder, { uidValidity: true })
    return remoteId(folder, String(uidValidity), uid)
  }
  const put = async (folder: string, source: string, flags: readonly string[], at = clock.now) =>
    idIn(folder, await raw(folder, source, { flags, at }))
  /** Where a message is, by its id. */
  const place = async (id: string) => {
    const uid = Number(id.slice(id.lastIndexOf(':') + 1))
    for (const { path } of await client.list()) if ((await idIn(path, uid)) === id) return { path, uid }
    throw new Error(`No folder has ${id}`)
  }
  const move = async (id: string, to: string) => {
    const { path, uid } = await place(id)
    await client.mailboxOpen(path)
    const moved = await client.messageMove(String(uid), to, { uid: true })
    const now = moved === false ? undefined : moved.uidMap?.get(uid)
    await client.mailboxClose()
    if (now === undefined) throw new Error(`${id} was not moved to ${to}`)
    return idIn(to, now)
  }
  return {
    deliver: async (_, letter, at) => put('INBOX', await compose(withoutBcc(letter)), [], at),
    send: async (_, letter) => put(SENT, await compose(letter), [String.raw`\Seen`]),
    draft: async (_, letter) => put('Drafts', await compose(letter), [String.raw`\Draft`]),
    async file(_, id, name) {
      const folders = await client.list()
      if (!folders.some(({ path }) => path === name)) await client.mailboxCreate(name)
      return move(id, name)
    },
    unfile: (_, id) => move(id, 'INBOX'),
    async rename(_, id, name, to) {
      const { uid } = await place(id)
      await client.mailboxRename(name, to)
      return idIn(to, uid)
    },
    spam: (_, id) => move(id, 'Junk'),
    trash: (_, id) => move(id, 'Trash'),
    async remove(_, id) {
      const { path, uid } = await place(id)
      await client.mailboxOpen(path)
      await client.messageDelete(String(uid), { uid: true })
      await client.mailboxClose()
    },
    unreadable: () => put('INBOX', '\r\nWords without a header.', []),
    async contents() {
      const all: unknown[] = []
      for (const { path } of await client.list()) {
        await client.mailboxOpen(path, { readOnly: true })
        for await (const { uid, flags } of client.fetch('1:*', { uid: true, flags: true }, { uid: true }))
          all.push([path, uid, [...(flags ?? [])].filter((flag) => flag !== String.raw`\Recent`).toSorted()])
        await client.mailboxClose()
      }
      return all
    },
  }
}
