type Words = readonly [string, ...string[]]

/** `{product}` and `{firm}` are filled in. */
export const SUBJECTS: Words = [
  '{product} for {firm}',
  'Question about the {product}',
  'Dates for the {product}',
  'Your offer of last week',
  'Delivery to {firm}',
  'Next steps',
  'Our call on Thursday',
  'Contract for the {product}',
  'Invoice address of {firm}',
  'Café für das Frühjahrstreffen',
]
export const ASKS: Words = [
  'Could you tell me what the {product} would cost for eight people?',
  'We would like to move the {product} to the week after next.',
  'Is the price of last year still good?',
  'Who should I talk to about the {product}?',
  'Our purchasing department asks for two references.',
  'Please send the contract again, the old file does not open.',
  'Can we have a short call tomorrow morning?',
]
export const ANSWERS: Words = [
  'Thank you for your message.',
  'The offer is attached; it is good for thirty days.',
  'I have put the {product} down for the 14th.',
  'Our engineer will call you about the details.',
  'Yes, that is possible, at the same price.',
  'I will come back to you by the end of the week.',
  'The people at {firm} who should know are in copy.',
]
export const FILLERS: Words = [
  'The figures are in the table that we looked at in the meeting.',
  'Our new address has been in the system since May.',
  'Everybody here was very happy with how the last one went.',
  'We have an audit in autumn, so it should be done before that.',
  'Please keep in mind that the office is closed on Monday.',
  'If that does not suit you, just suggest another day.',
  'It is a little more than we had planned, but it can be done.',
]
export const CLOSINGS: Words = ['Kind regards', 'Best wishes', 'Many thanks', 'Viele Grüße']
export const INTERNAL: Words = [
  'Forecast for this month',
  'Who takes the fair in June?',
  'Holiday list',
  'New price list',
  'Lunch on Friday',
]
export const PRIVATE: Words = ['Your blood test', 'School trip', 'Rent of the flat', 'Birthday on Saturday']
export const NEWS: Words = [
  'What is new this month',
  'Ten ideas for the spring',
  'Our webinar on the 12th',
  'Last seats at an early price',
]
export const COLD: Words = [
  'More visitors for your website',
  'A short question',
  'Office plants for your team',
  'Your listing in our directory',
]
