# What a person chose: read from the URL, checked, and written back to it, so that a view can be shared.

languages <- c("en", "vi") # the first is the default
tab_names <- c("overview", "acquisition", "visitors", "retention", "funnel", "paths", "products", "activity", "alerts", "quality", "raw")
page_rows <- 50
default_days <- 7

# the first is the default
allowed <- list(
  lang = languages, tab = tab_names, metric = c("events", "visitors", "sessions", "conversion", "orders", "value"),
  grain = c("auto", "hour", "day", "week", "month"), cohort = c("week", "day"),
  sort = c("views", "carts", "checkout_starts", "checkouts", "conversion", "price", "name"), order = c("desc", "asc"),
  by = c("category", "brand", "login"), loads = c("30", "1", "7", ""),
  within = c("session", "1", "7", "30"), bots = c("without", "with", "only")
)
step_names <- paste0("s", 1:8) # the steps of a funnel of one's own
free_text <- c("login", "event", "category", "brand", "q", "product", "start", step_names)
filter_kinds <- c("login", "event", "category", "brand") # what a plot can be clicked for, and a chip stands for
url_names <- c("lang", "tab", "from", "to", "tz", names(allowed)[-(1:2)], free_text, "page")

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
  c(state, range_of("7", newest_day))
}

periods <- c("1", "yesterday", "7", "30", "90", "month", "last_month", "since")

#' The days of a ready-made period. All end on the newest event's day at the latest, so that they show something on old data too.
range_of <- function(period, newest_day, from = NULL) {
  newest <- if (length(newest_day) == 1 && !is.na(newest_day)) as.Date(newest_day) else Sys.Date()
  first <- as.Date(format(newest, "%Y-%m-01"))
  switch(period,
    yesterday = list(from = newest - 1, to = newest - 1),
    month = list(from = first, to = newest),
    last_month = list(from = as.Date(format(first - 1, "%Y-%m-01")), to = first - 1),
    since = list(from = min(from, newest), to = newest),
    list(from = newest - as.integer(period) + 1, to = newest)
  )
}

#' The ready-made period that a range is, the chosen one where it is two of them; "" for one of its own.
period_of <- function(state, newest_day, chosen = NULL) {
  is_it <- function(period) identical(range_of(period, newest_day, state$from), state[c("from", "to")])
  c(Filter(is_it, c(intersect(chosen, periods), periods)), "")[1]
}

#' The query string of a state; what is as it is by default is left out.
state_query <- function(state) {
  values <- lapply(state[intersect(url_names, names(state))], as.character)
  values <- values[order(match(names(values), url_names))]
  usual <- c(lapply(allowed[-(1:2)], `[`, 1), list(page = "1"), lapply(stats::setNames(nm = free_text), function(name) ""))
  keep <- !mapply(identical, values, usual[names(values)])
  encoded <- vapply(unlist(values[keep]), utils::URLencode, "", reserved = TRUE, repeated = TRUE)
  paste0("?", paste(names(encoded), encoded, sep = "=", collapse = "&"))
}

#' The same where days are the finest that is known.
day_bucket <- function(state) if (bucket_of(state) == "hour") "day" else bucket_of(state)

#' Hour, day, week or month: what a plot of these days is drawn in. More columns than can be told apart are not drawn.
bucket_of <- function(state) {
  days <- as.integer(state$to - state$from) + 1
  finest <- if (days <= 2) "hour" else if (days <= 92) "day" else if (days <= 731) "week" else "month"
  if (state$grain == "auto") return(finest)
  widest <- c(hour = 31, day = 731, week = 5000, month = Inf)
  c(Filter(function(grain) days <= widest[[grain]], unique(c(state$grain, names(widest)))))[1]
}
