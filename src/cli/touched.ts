import { isObject } from '../core/json.ts'
import type { MergedForeseen } from '../runtime/merge/review.ts'
import { touchesNothing, type Foreseen } from '../runtime/plan/foresee.ts'
import { clip, number, plural, shown, tame, type Output } from './output.ts'

/** What a configuration makes of streams that were in agreement, and what of it has to be approved. */
export function showTouched(
  output: Output,
  touched: readonly Foreseen[],
  isAsked: boolean,
  waits: readonly string[],
): void {
  const { paint } = output
  for (const one of touched) {
    const { stream, records, hub, remote, questions, creates } = one
    const parts = [
      ...(hub > 0 ? [`${number(hub)} in the hub`] : []),
      ...(remote > 0 ? [`${number(remote)} at the remote`] : []),
      ...(questions > 0 ? [`${number(questions)} with a question`] : []),
    ]
    const told = parts.length === 0 ? '' : ` (${parts.join(', ')})`
    output.line(`${paint.bold(stream)} touches ${plural(records, 'record')}${told}.`)
    if (creates > 0) output.line(`  At most ${plural(creates, 'record')} would be created at the remote.`)
    if (one.listsAnew) output.line('  Other objects are let in than before: how many, only a plan can tell.')
    showSamples(output, one.samples)
    if (waits.includes(stream)) output.line(paint.yellow('  It writes nothing before a plan is approved.'))
    else if (isAsked && touchesNothing(one)) output.line('  Nothing to approve.')
  }
  if (touched.length > 0) output.line()
}

/** What other rules of survivorship make of records that were merged before. */
export function showMerged(output: Output, { records, samples }: MergedForeseen): void {
  if (records === 0) return
  output.line(`${output.paint.bold('survivorship')} touches ${plural(records, 'merged record')}.`)
  showSamples(output, samples)
  output.line()
}

function showSamples(output: Output, samples: Foreseen['samples']): void {
  for (const { title, changes } of samples) {
    const fields = Object.entries(changes).map(([field, change]) => {
      const { before, after } = isObject(change) ? change : { before: null, after: change }
      return before === undefined
        ? `${field} → ${shown(after)}`
        : `${field}: ${shown(before)} → ${shown(after)}`
    })
    output.line(clip(`  ${tame(title)}  ${tame(fields.join('; '))}`, 300))
  }
}

/** The same for programs. */
export const touchedJson = ({ id: _, shape: __, ...told }: Foreseen) => told
