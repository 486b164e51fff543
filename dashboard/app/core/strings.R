# Every word the app shows stands in strings.csv, one column a language, so that a page is never half translated.

read_strings <- function(path) {
  table <- utils::read.csv(path, colClasses = "character", encoding = "UTF-8", na.strings = character(0))
  stopifnot(identical(names(table), c("key", languages)), !anyDuplicated(table$key))
  table
}

#' A translator: `t("key", name = value)` gives the text of `lang` with `{name}` replaced.
#' An unknown key is an error, except where a fallback is given (names that come from the data).
translator <- function(strings, lang) {
  texts <- stats::setNames(strings[[lang]], strings$key)
  function(key, ..., fallback = NULL) {
    text <- unname(texts[key])
    if (is.na(text)) {
      if (is.null(fallback)) stop("no string for key ", key)
      return(fallback)
    }
    values <- list(...)
    for (name in names(values)) text <- gsub(paste0("{", name, "}"), values[[name]], text, fixed = TRUE)
    text
  }
}

#' The words for a name out of the data (an event, a login state): known names are translated, others stay as they are.
data_labels <- function(t, prefix, names) {
  vapply(names, function(name) {
    if (is.na(name) || name == "") t("none") else t(paste0(prefix, ".", name), fallback = name)
  }, "", USE.NAMES = FALSE)
}
