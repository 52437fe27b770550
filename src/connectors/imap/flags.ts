import type { MailFlag } from '../../core/mail/message.ts'
import { pack, unpack } from './uids.ts'
import type { FolderState } from './cursor.ts'

const SYSTEM: Readonly<Record<string, MailFlag>> = { '\\draft': 'draft', '\\deleted': 'trash', $junk: 'spam' }
/** Keywords that programs set by themselves, without `$`. */
const IDLE = new Set(['junk', 'nonjunk', 'notjunk', 'forwarded', 'mdnsent', 'receipthandled', 'old'])

/**
 * What flags of a message say to rules (RFC 9051, 2.3.2; `$Junk`: IANA's registry of IMAP keywords). A message with
 * `\Deleted` is on its way out.
 */
export function flagsOf(flags: Iterable<string>): readonly MailFlag[] {
  return [...flags].flatMap((flag) => SYSTEM[flag.toLowerCase()] ?? [])
}

/** Keywords that a person set: those of the system begin with `\` or `$`. */
export function keywordsOf(flags: Iterable<string>): readonly string[] {
  return [...flags].filter((flag) => !/^[\\$]/.test(flag) && !IDLE.has(flag.toLowerCase()))
}

/** What of a message's flags counts, as one text; '' where nothing does. Being read or answered does not. */
export function markOf(flags: Iterable<string>): string {
  const all = [...flags]
  return [...new Set([...flagsOf(all), ...keywordsOf(all).map((word) => `#${word}`)])].toSorted().join(' ')
}

export function readMarks(marks: FolderState['marks']): Map<number, string> {
  return new Map(
    Object.entries(marks).flatMap(([mark, uids]) => unpack(uids).map((uid): [number, string] => [uid, mark])),
  )
}

export function writeMarks(marks: ReadonlyMap<number, string>): FolderState['marks'] {
  const groups = Map.groupBy(
    [...marks].filter(([, mark]) => mark !== ''),
    ([, mark]) => mark,
  )
  return Object.fromEntries([...groups].map(([mark, all]) => [mark, pack(all.map(([uid]) => uid))]))
}
