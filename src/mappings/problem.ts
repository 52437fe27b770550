/** One thing that is wrong in a configuration file. Lines and columns count from 1. */
export type Problem = {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The place in the document: `streams.members.fields[3].codec`. */
  readonly field: string
  readonly message: string
  readonly fix: string
}

export type Step = string | number
/** Says what is wrong at a place, relative to where the reporter stands; `offset` counts characters into a text. */
export type Report = (path: readonly Step[], message: string, fix: string, offset?: number) => void

export function formatProblem(problem: Problem): string {
  const { file, line, column, field, message, fix } = problem
  const place = field === '' ? '' : `${field}: `
  return `${file}:${line}:${column}  ${place}${message}. Fix: ${fix}`
}

export function fieldName(path: readonly Step[]): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('')
}

/** The same reporter, further inside. */
export function within(report: Report, ...inside: readonly Step[]): Report {
  return (path, message, fix, offset) => report([...inside, ...path], message, fix, offset)
}
