overview_ui <- function(id, t) {
  ns <- NS(id)
  panels(
    tags$div(class = "boxes wide", lapply(allowed$metric, function(metric) metric_box(ns, metric, t))),
    tags$div(class = "wide", htmlOutput(ns("until"))),
    panel_ui(ns("over_time"), t, "overview.over_time", 300) |> wide(),
    panel_ui(ns("event_mix"), t, "overview.event_mix", 300) |> tagAppendAttributes(class = "tall"),
    panel_ui(ns("login_states"), t, "overview.login_states", 160), panel_ui(ns("categories"), t, "overview.categories", 200),
    panel_ui(ns("totals"), t, "overview.totals") |> wide()
  )
}

wide <- function(panel) tagAppendAttributes(panel, class = "wide")

#' A figure with its line; a click on it chooses what the plot below shows.
metric_box <- function(ns, metric, t) {
  bslib::value_box(
    title = tags$button(
      type = "button", class = "pick", `data-pick` = picks("metric", metric), `data-metric` = metric,
      t(paste0("total.", metric))
    ),
    value = htmlOutput(ns(paste0(metric, "_value")), class = "big"), htmlOutput(ns(paste0(metric, "_change")), class = "change"),
    showcase = plot_output(ns(paste0(metric, "_spark")), 44, "spark"), showcase_layout = "bottom"
  )
}

overview_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    range <- function() context$state()[c("from", "to", "tz", "login")]
    totals <- context$read("overview_totals", function() {
      c(range(), context$covered(), context$state()["event"], dimension_of(context$state()))
    })
    series <- context$read("overview_series", function() {
      c(range(), series_bucket(context$state()), context$state()["event"], dimension_of(context$state()))
    })
    panel_server(
      "totals", context, totals, totals_columns(context), words = function(rows) hint(context$t("total.meaning")),
      nothing = function(rows) all(unlist(rows) == 0)
    )
    panel_server(
      "over_time", context, series, over_time_columns(context), plot_metric(context), over_time_words(context),
      function(rows) all(rows[[value_of(context$state()$metric)]] == 0)
    )
    lapply(allowed$metric, function(metric) metric_server(output, metric, context, totals, series))
    output$until <- renderUI(if (context$unfinished()) hint(context$t(
      "total.until", time = format_local_time(context$covered(), context$lang)
    )))
    shares_server("event_mix", context, context$read("overview_event_mix", range), "event_name", "event")
    shares_server("login_states", context, context$read("overview_login_states", range), "user_login_state", "login")
    categories_server("categories", context, context$read("funnel_by", function() c(range(), "category")))
  })
}

#' The rollup knows one dimension at a time: the category counts where both are chosen, and the page says so.
dimension_of <- function(state) {
  if (nzchar(state$category)) return(list("category", state$category))
  if (nzchar(state$brand)) return(list("brand", state$brand))
  list("all", "")
}

#' Sessions of a category are kept by day.
series_bucket <- function(state) {
  bucket <- bucket_of(state)
  if (bucket == "hour" && dimension_of(state)[[1]] != "all") "day" else bucket
}

# Of each metric: the filters that act on it.
filters_of <- list(
  events = c("login", "event"), visitors = "login", sessions = c("login", "category", "brand"),
  conversion = c("login", "category", "brand"), orders = "login", value = "login"
)

#' In words, which of the filters that are set a metric is not narrowed by.
unfiltered <- function(state, metric, t) {
  set <- Filter(function(kind) nzchar(state[[kind]]), setdiff(filter_kinds, filters_of[[metric]]))
  if (nzchar(state$category) && nzchar(state$brand)) set <- union(set, "brand")
  if (length(set) > 0) t("unfiltered", names = paste(vapply(set, t, ""), collapse = ", "))
}

value_of <- function(metric) if (metric == "conversion") "converted" else metric

metric_values <- function(rows, metric, before = "") {
  values <- rows[[paste0(value_of(metric), before)]]
  if (metric != "conversion") return(values)
  sessions <- rows[[paste0("sessions", before)]]
  ifelse(sessions > 0, values / sessions, NA)
}

write_metric <- function(metric, lang) {
  switch(metric,
    conversion = function(x) format_share(x, lang, 2), value = function(x) format_vnd(x, lang, short = TRUE), function(x) format_number(x, lang)
  )
}

metric_server <- function(output, metric, context, totals, series) {
  t <- context$t
  write <- write_metric(metric, context$lang)
  # the panels below say what is wrong; a box without a figure is just empty
  rows_of <- function(rows) {
    req(context$ready())
    tryCatch(rows(), warehouse_down = function(down) req(FALSE))
  }
  output[[paste0(metric, "_value")]] <- renderUI(write(metric_values(rows_of(totals), metric)))
  output[[paste0(metric, "_change")]] <- renderUI({
    rows <- rows_of(totals)
    tagList(
      change(metric, metric_values(rows, metric), metric_values(rows, metric, "_before"), context), " ",
      t("total.before", value = write(metric_values(rows, metric, "_before"))),
      tags$span(class = "aside", unfiltered(context$state(), metric, t)),
      if (metric == "value") tags$span(class = "aside", t(
        "total.priced", n = format_number(rows$priced, context$lang), m = format_number(rows$orders, context$lang)
      ))
    )
  })
  output[[paste0(metric, "_spark")]] <- plot_value(function() {
    rows <- rows_of(series)
    values <- metric_values(rows, metric)
    plot_spark(values, paste0(bucket_labels(rows$bucket, context), ": ", write(values)), t(paste0("total.", metric)))
  })
}

#' By how much, as a share of before; of a share in points.
change <- function(metric, now, before, context) {
  t <- context$t
  if (is.na(now) || is.na(before) || before == 0) return(NULL)
  up <- now >= before
  text <- if (metric == "conversion") {
    t("points", n = signed(format_number(100 * (now - before), context$lang, 1), up))
  } else {
    signed(format_share(now / before - 1, context$lang), up)
  }
  tags$span(class = if (up) "up" else "down", if (up) "\u25b2" else "\u25bc", text)
}

signed <- function(text, up) if (up) paste0("+", text) else sub("^-", "\u2212", text)

counted <- c("events", "visitors", "sessions", "converted", "orders", "value")

totals_columns <- function(context) {
  names <- counted
  number <- function(x) format_number(x, context$lang)
  unlist(lapply(names, function(name) list(
    column(name, paste0("total.", name), number, TRUE),
    column(paste0(name, "_before"), paste0("total.", name, ".before"), number, TRUE)
  )), recursive = FALSE)
}

over_time_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  c(
    list(column("bucket", "bucket", function(x) bucket_labels(x, context))),
    unlist(lapply(counted, function(name) list(
      column(name, paste0("total.", name), number, TRUE),
      column(paste0(name, "_before"), paste0("total.", name, ".before"), number, TRUE)
    )), recursive = FALSE)
  )
}

bucket_labels <- function(buckets, context, short = FALSE) {
  switch(series_bucket(context$state()),
    hour = if (short) substr(buckets, 12, 16) else format_local_time(buckets, context$lang),
    month = paste0(substr(buckets, 6, 7), "/", substr(buckets, 1, 4)),
    format_day(substr(buckets, 1, 10), context$lang, year = !short)
  )
}

#' Not whole: the data ends before it, or the range cuts it (weeks and months).
unfinished_buckets <- function(rows, context) {
  state <- context$state()
  rows$bucket_end > context$covered() | rows$bucket_end > paste(state$to + 1, "00:00:00") |
    rows$bucket < paste(state$from, "00:00:00")
}

plot_metric <- function(context) function(rows) {
  t <- context$t
  state <- context$state()
  metric <- state$metric
  write <- write_metric(metric, context$lang)
  now <- metric_values(rows, metric)
  before <- metric_values(rows, metric, "_before")
  unfinished <- unfinished_buckets(rows, context) & !is.na(now) & now > 0
  names <- c(t("this_period"), t("period_before"))
  tips <- paste0(bucket_labels(rows$bucket, context), ": ", write(now), ifelse(unfinished, paste0(" (", t("unfinished"), ")"), ""))
  tips_before <- ifelse(is.na(rows$bucket_before), "", paste0(bucket_labels(rows$bucket_before, context), ": ", write(before)))
  last <- as.Date(substr(rows$bucket_end, 1, 10)) - (substr(rows$bucket_end, 12, 19) == "00:00:00")
  spans <- paste0(substr(rows$bucket, 1, 10), "/", pmax(as.Date(substr(rows$bucket, 1, 10)), last))
  alt <- t(
    "overview.over_time.alt", metric = t(paste0("total.", metric)), from = format_day(state$from, context$lang),
    to = format_day(state$to, context$lang)
  )
  plot_over_time(
    bucket_labels(rows$bucket, context, short = TRUE), now, before, names, tips, tips_before, alt, pick_of("days", spans),
    unfinished, if (metric == "conversion") "share" else "count"
  )
}

over_time_words <- function(context) function(rows) {
  t <- context$t
  aside <- unfiltered(context$state(), context$state()$metric, t)
  tagList(
    if (any(unfinished_buckets(rows, context) & rows$events > 0)) hint(
      t("unfinished.note", time = format_local_time(context$covered(), context$lang))
    ),
    if (!is.null(aside)) hint(aside)
  )
}

shares_server <- function(id, context, rows, name, kind) {
  t <- context$t
  columns <- list(
    column(name, kind, function(x) data_labels(t, kind, x), kind = kind),
    column("events", "total.events", function(x) format_number(x, context$lang), TRUE)
  )
  title <- paste0("overview.", id)
  panel_server(id, context, rows, columns, function(rows) {
    total <- sum(rows$events)
    shown <- utils::head(rows, 14)
    texts <- paste0(format_short(shown$events, context$lang), " \u00b7 ", format_share(shown$events / total, context$lang))
    labels <- data_labels(t, kind, shown[[name]])
    alt <- t("shares.alt", title = t(title), name = labels[1], share = format_share(shown$events[1] / total, context$lang))
    plot_bars(labels, shown$events, texts, alt, pick_of(kind, ifelse(is.na(shown[[name]]), "-", shown[[name]])))
  })
}

categories_server <- function(id, context, rows) {
  t <- context$t
  number <- function(x) format_number(x, context$lang)
  columns <- list(
    column("value", "category", function(x) ifelse(is.na(x), t("none"), x), kind = "category"),
    column("sessions", "total.sessions", number, TRUE), column("checkouts", "total.converted", number, TRUE)
  )
  panel_server(id, context, rows, columns, function(rows) {
    labels <- ifelse(is.na(rows$value), t("none"), rows$value)
    texts <- format_short(rows$sessions, context$lang)
    picked <- lapply(rows$value, function(value) if (!is.na(value)) list(kind = "category", value = value))
    plot_bars(labels, rows$sessions, texts, t("groups.alt", title = t("overview.categories"), name = labels[1], value = texts[1]), picked)
  })
}
