import type { EditResult } from '../edit.ts'

/** Why an edit was not taken, in words. */
export function problemsOf(edit: Exclude<EditResult, { kind: 'saved' }>): string {
  switch (edit.kind) {
    case 'invalid':
      return edit.problems.map((problem) => problem.message).join(' ')
    case 'merged':
      return `It was merged into record ${edit.into} meanwhile. Change that one.`
    case 'exists':
      return `${edit.by} belongs to record ${edit.id} already. Fix: merge the two, or give another value.`
    case 'missing':
      return 'The record is not there any more.'
    case 'changed':
      return 'Somebody else has changed the record meanwhile. Fix: look at it again.'
  }
}
