import type { RecordId, RecordKind } from '../core/model.ts'
import type { NewItem } from '../store/inbox.ts'

/**
 * The question whether two records are one. `evidence`: why, in words; `by`: the key they share, where it is one, for
 * the question goes when that is taken off one of them.
 */
export function duplicateItem(
  kind: RecordKind,
  [one, other]: readonly [RecordId, RecordId],
  about: {
    readonly title: string
    readonly evidence: string
    readonly by?: string
    readonly streamId?: number
  },
): NewItem {
  const [low, high] = [Math.min(one, other), Math.max(one, other)]
  const { title, evidence, by, streamId = null } = about
  return {
    kind: 'duplicate',
    key: `duplicate:${low}:${high}`,
    title,
    fix: `If they are one, merge them: \`concord merge ${kind} ${low} ${high}\`. If they are two, say so with \`concord inbox keep-apart ID\`, and nobody is asked again${by === undefined ? '' : `; or take ${by} off one of them`}.`,
    detail: { kind, records: [low, high], evidence, ...(by === undefined ? {} : { by }) },
    streamId,
    recordId: low,
  }
}
