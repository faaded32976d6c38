// Words that several records share: events, outcomes, stages, faults.
import en from "./words_en"
import zh from "./words_zh"

export default { zh, en }
