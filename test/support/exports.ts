export type Table = 'contacts' | 'companies' | 'deals'

/** The exports of the CRM that the shipped `csv.yaml` maps. */
export const COLUMNS: Readonly<Record<Table, readonly string[]>> = {
  contacts: [
    'id',
    'email',
    'first_name',
    'last_name',
    'phone',
    'job_title',
    'company',
    'company_domain',
    'unsubscribed',
  ],
  companies: ['id', 'name', 'domain', 'phone', 'industry', 'employees'],
  deals: [
    'id',
    'name',
    'pipeline',
    'stage',
    'amount',
    'currency',
    'close_date',
    'contact_email',
    'company_domain',
    'lines',
  ],
}
