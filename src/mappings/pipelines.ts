import { fieldType, isDerived } from '../core/model.ts'
import { folded } from '../core/pipeline.ts'
import type { Pipeline } from '../core/stream.ts'
import type { Parsed } from './document.ts'
import { pipelinesFile } from './governance-schema.ts'
import { unknownField } from './normalise.ts'
import { within, type Report } from './problem.ts'
import { validate } from './validate.ts'

export function loadPipelines(document: Parsed): readonly Pipeline[] {
  const pipelines = validate(pipelinesFile, document.root, document, [])?.pipelines ?? []
  const twice = (names: readonly string[], i: number) => names.indexOf(names[i] ?? '') < i
  const names = pipelines.map(({ name }) => folded(name))
  for (const [i, pipeline] of pipelines.entries()) {
    const report = within(document.report, 'pipelines', i)
    if (twice(names, i))
      report(['name'], `there are two pipelines "${pipeline.name}"`, 'Give one another name.')
    const stages = pipeline.stages.map(({ name }) => folded(name))
    for (const [j, stage] of pipeline.stages.entries()) {
      const at = within(report, 'stages', j)
      if (twice(stages, j)) at(['name'], `there are two stages "${stage.name}"`, 'Give one another name.')
      checkNeeds(stage.enter, within(at, 'enter'))
      checkNeeds(stage.exit, within(at, 'exit'))
      if (stage.exit !== undefined && stage.outcome !== 'open')
        at(
          ['exit'],
          `"${stage.name}" is ${stage.outcome}: nothing goes on from it`,
          'Remove it, or write enter:.',
        )
    }
  }
  // Given as they were written: `undefined` stands for what was left out nowhere else.
  return pipelines.map(({ name, nextStep, stages }) => ({
    name,
    ...(nextStep === undefined ? {} : { nextStep }),
    stages: stages.map(({ name: stage, outcome, enter, exit }) => ({
      name: stage,
      outcome,
      ...(enter === undefined ? {} : { enter }),
      ...(exit === undefined ? {} : { exit }),
    })),
  }))
}

/** Without the fields that say where a deal stands: those are what is asked about. */
function checkNeeds(fields: readonly string[] | undefined, report: Report): void {
  for (const [i, field] of (fields ?? []).entries()) {
    if (fieldType('deal', field) === undefined) report([i], ...unknownField('deal', field))
    else if (isDerived('deal', field))
      report([i], `${field} is computed by the hub: nobody can fill it in`, 'Remove it.')
    else if (field === 'stage' || field === 'pipeline')
      report([i], `every deal in a stage has its ${field}`, 'Remove it.')
    else if ((fields ?? []).indexOf(field) < i) report([i], `${field} is listed twice`, 'Remove one of them.')
  }
}
