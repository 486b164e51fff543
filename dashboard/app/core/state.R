# What a person chose: read from the URL, checked, and written back to it, so that a view can be shared.

languages <- c("en", "vi") # the first is the default
tab_names <- c("overview", "products", "funnel", "activity", "quality", "raw")
page_rows <- 50
default_days <- 7

allowed <- list(
  lang = languages, tab = tab_names, sort = c("views", "conversion"),
  by = c("category", "brand", "login"), loads = c("1", "7", "30", "")
)
free_text <- c("login", "event", "category", "brand", "q")
url_names <- c("lang", "tab", "from", "to", "tz", free_text, "sort", "by", "loads", "page")

#' Whatever came from outside, made into a whole and valid state. Unknown or broken values fall back to the default.
clean_state <- function(given, zones = character(0)) {
  one <- function(name) {
    value <- given[[name]]
    if (is.character(value) && length(value) == 1 && validUTF8(value)) substr(value, 1, 200) else ""
  }
  state <- lapply(stats::setNames(nm = names(allowed)), function(name) {
    value <- if (is.null(given[[name]])) allowed[[name]][1] else one(name)
    if (value %in% allowed[[name]]) value else allowed[[name]][1]
  })
  if (is.null(given$loads)) state$loads <- "30"
  state[free_text] <- lapply(free_text, one)
  state$tz <- if (one("tz") %in% zones) one("tz") else c(zones, "Asia/Ho_Chi_Minh")[1]
  state$page <- clean_page(given$page)
  c(state, clean_range(one("from"), one("to")))
}

clean_page <- function(page) {
  number <- suppressWarnings(as.integer(if (length(page) == 1) page else 1))
  if (is.na(number)) 1L else min(max(number, 1L), 100000000L)
}

#' Two days as Date, in order; NULL where a day is missing or impossible.
clean_range <- function(from, to) {
  days <- lapply(list(from, to), function(text) {
    day <- if (grepl("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", text)) as.Date(text, optional = TRUE) else as.Date(NA)
    if (is.na(day) || day < as.Date("2000-01-01") || day > as.Date("2100-01-01")) NULL else day
  })
  if (is.null(days[[1]]) || is.null(days[[2]])) return(list())
  list(from = min(days[[1]], days[[2]]), to = max(days[[1]], days[[2]]))
}

#' A range where the state has none: the last seven days that hold events.
with_range <- function(state, newest_day) {
  if (!is.null(state$from)) return(state)
  to <- if (length(newest_day) == 1 && !is.na(newest_day)) as.Date(newest_day) else Sys.Date()
  c(state, list(from = to - default_days + 1, to = to))
}

#' The query string of a state; filters that are not set are left out.
state_query <- function(state) {
  values <- lapply(state[intersect(url_names, names(state))], as.character)
  values <- values[order(match(names(values), url_names))]
  usual <- c(sort = "views", by = "category", loads = "30", page = "1")
  said <- nzchar(unlist(values)) | names(values) == "loads"
  keep <- said & !mapply(identical, unlist(values), usual[names(values)])
  encoded <- vapply(values[keep], utils::URLencode, "", reserved = TRUE)
  paste0("?", paste(names(encoded), encoded, sep = "=", collapse = "&"))
}

#' Hour, day, week or month: what a plot of this many days is drawn in.
bucket_of <- function(state) {
  days <- as.integer(state$to - state$from) + 1
  if (days <= 2) "hour" else if (days <= 92) "day" else if (days <= 731) "week" else "month"
}
