// Several APIs in one file, at once: the engine is loaded once, and a wait of one holds up no other.
import { testsAtOnce } from './at-once.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'
import { hackerNews } from './hacker-news.ts'
import { slack } from './slack.ts'
import { wikipedia } from './wikipedia.ts'
import { zendesk } from './zendesk.ts'

testsAtOnce({
  'GitHub: issues and comments are read from the oldest change to the newest, and then what has changed': github,
  'GitLab: issues are read by the links of keyset pages, and then what has changed': gitlab,
  'Hacker News: stories are read a week at a time, and those of the last three days again': hackerNews,
  'Slack: each channel is read from its own last message, and one that the bot joins from its start': slack,
  'Wikipedia: changes are read from the oldest to the newest, and then those after the last one': wikipedia,
  'Zendesk: tickets are read once, then from the stored cursor, deleted ones too': zendesk,
})
