# Numbers, money, shares, dates and times as each language writes them.

number_marks <- list(en = c(big = ",", decimal = "."), vi = c(big = ".", decimal = ","))

format_number <- function(x, lang, digits = 0) {
  marks <- number_marks[[lang]]
  text <- formatC(x, format = "f", digits = digits, big.mark = marks[["big"]], decimal.mark = marks[["decimal"]])
  ifelse(is.na(x), "\u2013", trimws(text))
}

#' Short form for axes: 1.2K, 3.4M (en), 1,2 N, 3,4 Tr (vi).
format_short <- function(x, lang) {
  units <- list(en = c("K", "M", "B"), vi = c("\u00a0N", "\u00a0Tr", "\u00a0T"))[[lang]]
  vapply(x, function(value) {
    if (is.na(value)) return("\u2013")
    power <- min(3, max(0, floor(log10(max(abs(value), 1)) / 3)))
    if (power == 0) return(format_number(value, lang, if (value == round(value)) 0 else 1))
    scaled <- value / 1000^power
    paste0(format_number(scaled, lang, if (abs(scaled - round(scaled)) < 0.05) 0 else 1), units[power])
  }, "")
}

#' Dong have no minor unit, but a price with decimals keeps two of them.
#' @param short as on an axis
format_vnd <- function(x, lang, short = FALSE) {
  digits <- ifelse(is.na(x) | x == round(x), 0, 2)
  text <- if (short) format_short(x, lang) else mapply(format_number, x, lang, digits, USE.NAMES = FALSE)
  if (lang == "vi") text <- paste0(text, "\u00a0\u20ab") else text <- paste0("\u20ab", text)
  ifelse(is.na(x), "\u2013", text)
}

format_share <- function(x, lang, digits = 1) {
  ifelse(is.na(x), "\u2013", paste0(format_number(100 * x, lang, digits), if (lang == "vi") "\u00a0%" else "%"))
}

months_en <- c("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

format_day <- function(day, lang, year = TRUE) {
  day <- as.Date(day)
  number <- as.integer(format(day, "%d"))
  if (lang == "vi") return(format(day, if (year) "%d/%m/%Y" else "%d/%m"))
  short <- paste(number, months_en[as.integer(format(day, "%m"))])
  if (year) paste(short, format(day, "%Y")) else short
}

#' `local` is a timestamp without a zone as SQL gives it: "2025-12-06 13:05:00" already in the chosen zone.
format_local_time <- function(local, lang, seconds = FALSE) {
  clock <- substr(local, 12, if (seconds) 19 else 16)
  ifelse(is.na(local), "\u2013", paste(format_day(substr(local, 1, 10), lang), clock))
}

#' A span of seconds in its largest unit that fits: "5 minutes", "3 hours", "2 days".
format_span <- function(seconds, t) {
  if (is.na(seconds)) return("\u2013")
  unit <- if (seconds < 60) "seconds" else if (seconds < 5400) "minutes" else if (seconds < 129600) "hours" else "days"
  size <- c(seconds = 1, minutes = 60, hours = 3600, days = 86400)[[unit]]
  count <- max(0, round(seconds / size))
  t(paste0("span.", unit, if (count == 1) ".one" else ""), n = as.character(count))
}
