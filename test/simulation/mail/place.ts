import type { MailGround } from './mail-ground.ts'
import { isGmail } from './moods.ts'
import type { Copy } from './post.ts'

/** Where a copy lies now, and under which names, as its owner sees it. */
export type Place = {
  readonly kind: 'in' | 'draft' | 'chat' | 'spam' | 'trash' | 'gone'
  readonly names: readonly string[]
}
const GONE: Place = { kind: 'gone', names: [] }

export function placeOf({ google, graph }: MailGround, { rep, id }: Pick<Copy, 'rep' | 'id'>): Place {
  return isGmail(rep) ? atGoogle(google, rep, id) : atMicrosoft(graph, rep, id)
}

function atGoogle({ people }: MailGround['google'], rep: string, id: string): Place {
  const mailbox = people.mailbox(rep)
  const labels = mailbox?.byId.get(id)?.labels
  if (mailbox === undefined || labels === undefined) return GONE
  const is = (label: string) => labels.includes(label)
  const names = labels.flatMap((label) => {
    const known = mailbox.labels.get(label)
    return known?.type === 'user' ? [known.name] : []
  })
  const kind = is('DRAFT')
    ? 'draft'
    : is('CHAT')
      ? 'chat'
      : is('SPAM')
        ? 'spam'
        : is('TRASH')
          ? 'trash'
          : 'in'
  return { kind, names }
}

const FOLDERS: Readonly<Record<string, Place['kind']>> = {
  drafts: 'draft',
  outbox: 'draft',
  junkemail: 'spam',
  deleteditems: 'trash',
}

function atMicrosoft({ state }: MailGround['graph'], rep: string, id: string): Place {
  const user = state.users.find(({ address }) => address === rep)
  const message = user === undefined ? undefined : state.mailboxes.get(user.id)?.messages.get(id)
  if (message === undefined) return GONE
  const { folder, categories, isDraft } = message
  const kind = isDraft ? 'draft' : (FOLDERS[folder.wellKnown ?? ''] ?? 'in')
  return { kind, names: [folder.displayName, ...categories] }
}
