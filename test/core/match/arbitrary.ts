import fc from 'fast-check'
import type { Prepared } from '../../../src/core/match/prepare.ts'
import type { Subject, Traits } from '../../../src/core/match/traits.ts'
import { prepare } from './prepare.ts'

const sometimes = (values: readonly string[]) => fc.option(fc.constantFrom(...values), { nil: '' })

/** People who resemble one another, so that every level of agreement turns up. */
const traits: fc.Arbitrary<Traits> = fc.record({
  givenName: sometimes(['Robert', 'Bob', 'Robbert', 'Roberta', 'Anna', 'A.', 'Smith', 'Jean-Luc', 'null']),
  familyName: sometimes(['Smith', 'Smyth', 'Smith-Jones', 'van der Berg', 'Berg', "O'Brien", 'Robert', '李']),
  emails: fc.array(fc.constantFrom('bob@acme.com', 'bobs@acme.com', 'robert.smith@gmail.com', 'info@x.org'), {
    maxLength: 2,
  }),
  phones: fc.array(fc.constantFrom('+1 212 555 0100', '2125550100', '2125550101', '+44 20 7946 0000'), {
    maxLength: 2,
  }),
  organisation: sometimes(['Acme Inc', 'ACME', 'Acme Tools GmbH', 'Apex Ltd', 'Global Services']),
  birthDate: sometimes(['1970-01-31', '1970-01-13', '13/01/1970', '1971-01-31', '02-29', '1985-12-01']),
  street: sometimes(['12 Main St', 'Main Street 12', 'Elm Road', '12 Maine St']),
  houseNumber: sometimes(['', '12', '21']),
  unit: sometimes(['Flat 3', 'Main St']),
  city: sometimes(['Springfield', 'Sprngfield', 'Lyon']),
  region: sometimes(['NY', 'CA', 'New York']),
  postalCode: sometimes(['62701', '62710', '62701-1234', 'LS1 4AP']),
})
export const prepared = (subject: Subject): fc.Arbitrary<Prepared> =>
  traits.map((one) => prepare(subject, one))
export const subject: fc.Arbitrary<Subject> = fc.constantFrom('person', 'company')
