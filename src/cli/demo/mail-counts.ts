import { mailProgress } from '../../runtime/mail/progress.ts'
import type { Hub, Progress } from '../../runtime/hub.ts'
import { number, plural } from '../output.ts'
import { NotSo } from './scene.ts'

/** The progress of all mailboxes together goes by this name. */
export const MAIL_BAR = 'mail'

/** Adds up what is told of single mailboxes; passes on everything else as it is. */
export function togetherBy(show: (event: Progress) => void): (event: Progress) => void {
  const seen = new Map<string, number>()
  return (event) => {
    const { label } = event.target
    if (event.kind !== 'observed' || !label.includes('@')) return show(event)
    seen.set(label, Math.max(event.seen, seen.get(label) ?? 0))
    const sum = [...seen.values()].reduce((all, one) => all + one, 0)
    show({ kind: 'observed', target: { label: MAIL_BAR }, seen: sum, total: null })
  }
}

/** In the words of an admin who asks where a mail is. */
const REASONS: Readonly<Record<string, string>> = {
  automatic: 'automatic replies',
  bounce: 'bounces',
  bulk: 'newsletters',
  calendar: 'calendar answers',
  draft: 'drafts',
  internal: 'among colleagues',
  private: 'private',
  stranger: 'of strangers',
}

/** What became of the mail of every mailbox: read to its end, each message logged or kept out for a reason. */
export async function mailRows(hub: Hub): Promise<[string, string][]> {
  const boxes = await mailProgress(hub)
  const unread = boxes.filter(({ state, problem }) => state !== 'current' || problem !== null)
  if (unread.length > 0)
    throw new NotSo(
      `Not read to the end: ${unread.map((box) => `${box.mailbox} (${box.problem ?? box.state})`).join(', ')}`,
    )
  const [counted] = await hub.db.sql<{ messages: number; made: number }[]>`
    select (select count(*) from messages where state = 'kept') as messages,
      (select count(*) from contacts c where not exists (
        select 1 from links l where l.record_id = c.id and l.state = 'linked')) as made`
  const reasons = await hub.db.sql<{ reason: string; count: number }[]>`
    select reason, count(*) as count from sightings where verdict = 'filtered' group by 1 order by 2 desc, 1`
  const sum = (of: (box: (typeof boxes)[number]) => number) => boxes.reduce((all, box) => all + of(box), 0)
  const out = sum((box) => box.filtered)
  const unreadable = sum((box) => box.quarantined)
  const read = sum((box) => box.logged + box.filtered + box.quarantined)
  return [
    ['mail read', `${number(read)} in ${plural(boxes.length, 'mailbox', 'mailboxes')}`],
    [
      'mail logged',
      `${plural(counted?.messages ?? 0, 'message')}, of ${number(sum((box) => box.logged))} copies; ${plural(counted?.made ?? 0, 'new contact')}`,
    ],
    [
      'mail kept out',
      `${number(out)}: ${reasons.map(({ reason, count }) => `${number(count)} ${REASONS[reason] ?? reason}`).join(', ')}`,
    ],
    ...(unreadable === 0 ? [] : [['mail unreadable', number(unreadable)] satisfies [string, string]]),
  ]
}
