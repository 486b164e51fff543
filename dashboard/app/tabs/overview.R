overview_ui <- function(id, t) {
  ns <- NS(id)
  tags$div(
    class = "panels",
    panel_ui(ns("totals"), t, "overview.totals", "wide"),
    panel_ui(ns("over_time"), t, "overview.over_time", "wide"),
    panel_ui(ns("event_mix"), t, "overview.event_mix"),
    panel_ui(ns("login_states"), t, "overview.login_states")
  )
}

overview_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    range <- function() context$state()[c("from", "to", "tz", "login")]
    totals <- context$read("overview_totals", function() c(range(), context$covered()))
    panel_server(
      "totals", context, totals, draw_totals(context), totals_columns(context), function(rows) all(unlist(rows) == 0)
    )
    over_time <- context$read("overview_over_time", function() c(range(), bucket_of(context$state())))
    panel_server(
      "over_time", context, over_time, draw_over_time(context), over_time_columns(context),
      function(rows) all(rows$events == 0)
    )
    mix <- context$read("overview_event_mix", range)
    panel_server(
      "event_mix", context, mix, draw_shares(context, "event_name", "event", "overview.event_mix"),
      shares_columns(context, "event_name", "event")
    )
    states <- context$read("overview_login_states", range)
    panel_server(
      "login_states", context, states, draw_shares(context, "user_login_state", "login", "overview.login_states"),
      shares_columns(context, "user_login_state", "login")
    )
  })
}

totals_columns <- function(context) {
  names <- c("events", "visitors", "sessions", "converted")
  number <- function(x) format_number(x, context$lang)
  unlist(lapply(names, function(name) list(
    column(name, paste0("total.", name), number, TRUE),
    column(paste0(name, "_before"), paste0("total.", name, ".before"), number, TRUE)
  )), recursive = FALSE)
}

draw_totals <- function(context) function(rows) {
  t <- context$t
  lang <- context$lang
  tile <- function(name, now, before, write, change) {
    tags$div(
      class = "tile", tags$dt(t(paste0("total.", name))), tags$dd(class = "big", write(now)),
      tags$dd(class = "change", change, " ", t("total.before", value = write(before)))
    )
  }
  count <- function(name) {
    now <- rows[[name]]
    before <- rows[[paste0(name, "_before")]]
    tile(
      name, now, before, function(x) format_number(x, lang),
      if (before > 0) signed(format_share(now / before - 1, lang), now >= before)
    )
  }
  rate <- function(part, whole) if (whole > 0) part / whole else NA
  now <- rate(rows$converted, rows$sessions)
  before <- rate(rows$converted_before, rows$sessions_before)
  points <- if (!is.na(now) && !is.na(before)) t(
    "points", n = signed(format_number(100 * (now - before), lang, 1), now >= before)
  )
  tagList(
    tags$dl(
      class = "tiles", count("events"), count("visitors"), count("sessions"),
      tile("conversion", now, before, function(x) format_share(x, lang, 2), points)
    ),
    if (context$unfinished()) tags$p(
      class = "hint", t("total.until", time = format_local_time(context$covered(), lang))
    ),
    tags$p(class = "hint", t("total.meaning")),
    table_behind(table_of(rows, totals_columns(context), t, t("overview.totals")), t)
  )
}

signed <- function(text, up) if (up) paste0("+", text) else sub("^-", "\u2212", text)

over_time_columns <- function(context) {
  bucket <- function(x) vapply(x, bucket_label, "", context = context, USE.NAMES = FALSE)
  list(
    column("bucket", "bucket", bucket),
    column("events", "total.events", function(x) format_number(x, context$lang), TRUE)
  )
}

bucket_label <- function(bucket, context, short = FALSE) {
  switch(bucket_of(context$state()),
    hour = if (short) substr(bucket, 12, 16) else format_local_time(bucket, context$lang),
    month = paste0(substr(bucket, 6, 7), "/", substr(bucket, 1, 4)),
    format_day(substr(bucket, 1, 10), context$lang, year = !short)
  )
}

draw_over_time <- function(context) function(rows) {
  t <- context$t
  state <- context$state()
  # not whole: the data ends before it, or the range cuts it (weeks and months)
  unfinished <- rows$bucket_end > context$covered() | rows$bucket_end > paste(state$to + 1, "00:00:00") |
    rows$bucket < paste(state$from, "00:00:00")
  unfinished <- unfinished & rows$events > 0
  labels <- vapply(rows$bucket, bucket_label, "", context = context, short = TRUE, USE.NAMES = FALSE)
  counts <- format_number(rows$events, context$lang)
  tips <- paste0(
    vapply(rows$bucket, bucket_label, "", context = context), ": ", counts,
    ifelse(unfinished, paste0(" (", t("unfinished"), ")"), "")
  )
  alt <- t(
    "overview.over_time.alt", n = format_number(sum(rows$events), context$lang),
    from = format_day(state$from, context$lang), to = format_day(state$to, context$lang)
  )
  tagList(
    chart_columns(rows$events, labels, unfinished, tips, alt, context$lang),
    if (any(unfinished)) tags$p(
      class = "hint", tags$span(class = "key unfinished"),
      t("unfinished.note", time = format_local_time(context$covered(), context$lang))
    ),
    table_behind(table_of(rows, over_time_columns(context), t, t("overview.over_time")), t)
  )
}

shares_columns <- function(context, name, kind) {
  list(
    column(name, kind, function(x) data_labels(context$t, kind, x)),
    column("events", "total.events", function(x) format_number(x, context$lang), TRUE)
  )
}

draw_shares <- function(context, name, kind, title) function(rows) {
  t <- context$t
  total <- sum(rows$events)
  shown <- utils::head(rows, 14)
  texts <- paste0(
    format_short(shown$events, context$lang), " \u00b7 ", format_share(shown$events / total, context$lang)
  )
  labels <- data_labels(t, kind, shown[[name]])
  alt <- t(
    "shares.alt", title = t(title), name = labels[1], share = format_share(shown$events[1] / total, context$lang)
  )
  tagList(
    chart_bars(labels, shown$events, texts, alt),
    table_behind(table_of(rows, shares_columns(context, name, kind), t, t(title)), t)
  )
}
