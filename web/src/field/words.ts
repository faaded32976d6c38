import en from "./words_en"
import zh from "./words_zh"

export default { zh, en }
