import { prepare as prepareWith, type Prepared } from '../../../src/core/match/prepare.ts'
import type { Subject, Traits } from '../../../src/core/match/traits.ts'
import { isNobodys } from '../../../src/mappings/free-mail.ts'

/** As Concord prepares records, with its list of free-mail providers. */
export const prepare = (subject: Subject, traits: Traits): Prepared => prepareWith(subject, traits, isNobodys)
