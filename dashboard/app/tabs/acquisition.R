entry_kinds <- c("referrer", "campaign", "page", "device", "browser")

acquisition_ui <- function(id, t) {
  ns <- NS(id)
  panels(
    panel_ui(ns("days"), t, "acquisition.days", 260) |> wide(),
    lapply(entry_kinds, function(kind) {
      panel <- panel_ui(ns(kind), t, paste0("acquisition.", kind), 300)
      if (kind == "page") wide(panel) else panel
    })
  )
}

acquisition_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    range <- function() context$state()[c("from", "to", "tz")]
    days <- context$read("acquisition_days", function() c(range(), day_bucket(context$state())))
    panel_server(
      "days", context, days, bot_columns(context), plot_bots(context), bot_words(context),
      function(rows) sum(rows[c("people", "bots", "unknown")]) == 0
    )
    lapply(entry_kinds, function(kind) {
      rows <- context$read("acquisition_top", function() c(range(), kind, context$state()$bots))
      panel_server(kind, context, rows, entry_columns(context, kind), plot_entries(context, kind), entry_words(context, kind))
    })
  })
}

visitor_kinds <- c("people", "bots", "unknown")

bot_columns <- function(context) c(
  list(column("bucket", "bucket", function(x) day_label(x, context))),
  lapply(visitor_kinds, function(kind) column(kind, paste0("acquisition.", kind), function(x) format_number(x, context$lang), TRUE))
)

plot_bots <- function(context) function(rows) {
  t <- context$t
  number <- function(x) format_number(x, context$lang)
  series <- lapply(Filter(function(kind) any(rows[[kind]] > 0), visitor_kinds), function(kind) {
    name <- t(paste0("acquisition.", kind))
    list(name = name, data = data_of(rows[[kind]], paste0(day_label(rows$bucket, context), " \u00b7 ", name, ": ", number(rows[[kind]]))))
  })
  plot_columns(
    day_label(rows$bucket, context, TRUE), series,
    t("acquisition.days.alt", people = number(sum(rows$people)), bots = number(sum(rows$bots))), stack = "sessions"
  )
}

#' What the panels below leave out is said here, whatever the switch is.
bot_words <- function(context) function(rows) {
  t <- context$t
  number <- function(x) format_number(x, context$lang)
  all <- sum(rows[visitor_kinds])
  unknown <- sum(rows$unknown)
  tagList(
    hint(t(
      paste0("acquisition.bots.", context$state()$bots), n = number(sum(rows$bots)),
      share = format_share(sum(rows$bots) / all, context$lang)
    )),
    if (unknown == all) notice(t("acquisition.no_details")) else if (unknown > 0) hint(t("acquisition.some_details", n = number(unknown)))
  )
}

entry_names <- function(values, kind, t) {
  names <- if (kind == "device") data_labels(t, "device", values) else values
  ifelse(is.na(values), t(paste0("acquisition.", kind, ".none")), ifelse(!is.na(values) & values == "other", t("acquisition.other"), names))
}

entry_columns <- function(context, kind) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("value", paste0("acquisition.", kind), function(x) entry_names(x, kind, context$t)),
    column("sessions", "total.sessions", number, TRUE), column("carts", "carts", number, TRUE),
    column("checkouts", "total.converted", number, TRUE),
    column("conversion", "total.conversion", function(x) format_share(x, context$lang), TRUE)
  )
}

plot_entries <- function(context, kind) function(rows) {
  t <- context$t
  shown <- utils::head(rows, 12)
  names <- entry_names(shown$value, kind, t)
  texts <- paste0(format_short(shown$sessions, context$lang), " \u00b7 ", format_share(shown$conversion, context$lang))
  plot_bars(
    names, shown$sessions, texts,
    t("groups.alt", title = t(paste0("acquisition.", kind)), name = names[1], value = texts[1])
  )
}

entry_words <- function(context, kind) function(rows) {
  if (kind == "referrer") hint(context$t("acquisition.note"))
}
