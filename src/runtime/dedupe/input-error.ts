/** What somebody gave is wrong: the file, or how its columns are named. */
export class DedupeInputError extends Error {
  readonly fix: string
  constructor(message: string, fix: string) {
    super(message)
    this.name = 'DedupeInputError'
    this.fix = fix
  }
}
