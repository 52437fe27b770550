import { duplicateRecords, type InboxItem, type InboxKind } from '../../store/inbox.ts'

export const ACTIONS = [
  'approve',
  'reject',
  'merge',
  'keep-apart',
  'resolve',
  'retry',
  'edit',
  'fill',
  'accept',
  'look-up',
  'replay',
  'dismiss',
] as const
export type ActionName = (typeof ACTIONS)[number]

/** What a person can do about an item. `needs` says in words what has to be given with it. */
export type Action = {
  readonly action: ActionName
  readonly label: string
  readonly needs: string | null
  /** The command, without `concord inbox`; ID stands for the item's number. */
  readonly command: string
}

/** What a kind of item says, and what can be done about it. One list for the command, the API and the pages. */
export type KindInfo = {
  readonly what: string
  readonly why: string
  /** When it closes by itself. */
  readonly closes: string
  readonly actions: readonly Action[]
}

const action = (name: ActionName, label: string, command: string, needs: string | null = null): Action => ({
  action: name,
  label,
  needs,
  command,
})
const DISMISS = action('dismiss', 'close it without doing anything', 'dismiss ID')

export const KINDS: Readonly<Record<InboxKind, KindInfo>> = {
  duplicate: {
    what: 'Two records look like one.',
    why: 'They share an address, a domain or a phone number, or their names and other traits are alike.',
    closes: 'when one of them is archived or merged, or the key they share is taken off one of them',
    actions: [
      action(
        'merge',
        'make them one record',
        'merge ID [--survivor RECORD]',
        'the surviving record, if not the one with more links, or else the older one',
      ),
      action('keep-apart', 'they are two: do not ask again', 'keep-apart ID'),
      DISMISS,
    ],
  },
  conflict: {
    what: 'The hub and a remote say different things, and the policy of the field is to ask.',
    why: 'Both sides were edited since they last agreed, or they met for the first time with different values.',
    closes: 'when the sides agree again',
    actions: [
      action('resolve', "take the hub's value", 'resolve ID --take hub'),
      action('resolve', "take the remote's value", 'resolve ID --take remote'),
      action(
        'resolve',
        'take a third value',
        'resolve ID --take value --set FIELD=VALUE',
        'the value of each field',
      ),
    ],
  },
  mass_change: {
    what: 'A pass would delete, empty or opt in more records than the guard allows.',
    why: 'A filter, an export or a mapping may be wrong. Nothing of it was written.',
    closes: 'when the source is corrected, or when each change was approved or rejected',
    actions: [
      action(
        'approve',
        'let all or some of it through',
        'approve ID [--records 12,13 | --except 12,13 | --from FILE.csv]',
      ),
      action(
        'reject',
        'refuse all or some of it',
        'reject ID [--records 12,13 | --except 12,13 | --from FILE.csv]',
      ),
    ],
  },
  rejected_write: {
    what: 'A vendor refused a write.',
    why: 'It holds a value that the vendor does not take, or the object does not allow it.',
    closes: 'when a later write of the record goes through, or the record is archived',
    actions: [
      action(
        'edit',
        'correct the record, and send it again',
        'edit ID --set FIELD=VALUE',
        'the corrected fields',
      ),
      action('retry', 'send it once more as it is', 'retry ID'),
      DISMISS,
    ],
  },
  uncertain_outcome: {
    what: 'Nobody knows yet whether a vendor carried out a write.',
    why: 'The answer was lost. It is looked up at the next sync, and never sent twice.',
    closes: 'when the vendor could be asked',
    actions: [action('look-up', 'ask the vendor now', 'look-up ID')],
  },
  missing_data: {
    what: 'A record lacks what something else needs of it.',
    why: 'A deal was won that cannot be invoiced, a field that is required is empty, or a vendor has merged an object into one that is not in the hub.',
    closes: 'when it is filled in, or the other object comes in',
    actions: [action('fill', 'fill it in', 'fill ID --set FIELD=VALUE', 'the missing fields'), DISMISS],
  },
  unknown_value: {
    what: 'Records say a value that is on no picklist.',
    why: 'The policy of the field is to ask about values that nobody knows.',
    closes: 'when no record says it any more, or the list knows it',
    actions: [
      action(
        'accept',
        'put it onto the list, or make it another word for a value that is there',
        'accept ID [--as VALUE]',
        'the value it is another word for, if it is one',
      ),
      DISMISS,
    ],
  },
  unreadable: {
    what: 'Rows, values or messages could not be read.',
    why: 'They are not in the form that the mapping expects. Everything else went on.',
    closes: 'when all of them can be read, or are gone',
    actions: [action('replay', 'read them again now', 'replay --id ID'), DISMISS],
  },
  changed_after_invoice: {
    what: 'A deal was changed after its invoice was issued.',
    why: 'An issued invoice is not changed behind the back of who received it.',
    closes: 'when the deal says again what the invoice says',
    actions: [DISMISS],
  },
  connection: {
    what: 'A connection, a mailbox or a webhook needs somebody.',
    why: 'Its credentials are refused, or something in it can no longer be read or heard of.',
    closes: 'when it works again',
    actions: [DISMISS],
  },
  alarm: {
    what: 'Something is not as it should be.',
    why: 'A stream stands still, or what was counted at the source and in the hub differs.',
    closes: 'when it has recovered',
    actions: [DISMISS],
  },
}

export const isInboxKind = (text: string): text is InboxKind => Object.hasOwn(KINDS, text)

/** A kind's words and actions. Items of kinds that a newer version made are still shown. */
export function infoOf(kind: string): KindInfo {
  const found = Object.entries(KINDS).find(([name]) => name === kind)
  return found?.[1] ?? { what: '', why: '', closes: '', actions: [DISMISS] }
}

export const describeKind = (kind: string): string => kind.replaceAll('_', ' ')

/** The actions of one item; a closed one has none. */
export function actionsOf(item: Pick<InboxItem, 'kind' | 'state' | 'detail'>): readonly Action[] {
  if (item.state === 'done') return []
  const { actions } = infoOf(item.kind)
  // The item that says how many more pairs there are names none of them.
  const isSum = item.kind === 'duplicate' && duplicateRecords(item) === null
  return isSum ? [DISMISS] : actions
}
