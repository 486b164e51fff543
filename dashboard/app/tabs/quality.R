quality_ui <- function(id, t) {
  ns <- NS(id)
  tagAppendAttributes(panels(
    panel_ui(ns("freshness"), t, "quality.freshness") |> wide(),
    panel_ui(ns("rejects"), t, "quality.rejects", 160), panel_ui(ns("warnings"), t, "quality.warnings", 160),
    panel_ui(ns("runs"), t, "quality.runs", table = FALSE) |> wide()
  ), class = "always")
}

quality_server <- function(id, context) {
  context$ready <- context$reachable # loads can be looked at before they bring the first event
  moduleServer(id, function(input, output, session) {
    zone <- function() context$state()["tz"]
    loads <- function() context$state()["loads"]
    # ages grow by the minute, so this one is not cached
    freshness <- context$read("quality_freshness", zone, cached = FALSE)
    panel_server("freshness", context, freshness, freshness_columns(context), words = draw_freshness(context))
    rejects <- context$read("quality_rejects", function() c(loads(), zone()))
    panel_server("rejects", context, rejects, reject_columns(context), plot_causes(context), unless("quality.no_rejects", context), none_found)
    warnings <- context$read("quality_warnings", loads)
    panel_server(
      "warnings", context, warnings, warning_columns(context), plot_warnings(context), unless("quality.no_warnings", context),
      none_found
    )
    runs <- context$read("quality_runs", function() c(loads(), zone()))
    panel_server("runs", context, runs, run_columns(context), words = function(rows) table_of(rows, run_columns(context), context$t))
  })
}

#' No reject and no warning is good news with words of its own, not a filter that matches nothing.
none_found <- function(rows) FALSE
unless <- function(key, context) function(rows) if (nrow(rows) == 0) notice(context$t(key), "good")

freshness_columns <- function(context) {
  time <- function(x) format_local_time(x, context$lang)
  list(
    column("newest_event", "quality.newest_event", time), column("newest_load", "quality.newest_load", time),
    column("next_due", "quality.next_due", time), column(
      "stale_hours", "quality.stale_hours", function(x) format_number(x, context$lang), TRUE
    )
  )
}

late_after <- 15 * 60

draw_freshness <- function(context) function(rows) {
  t <- context$t
  tile <- function(name, text, hint, class = "tile") tags$div(
    class = class, tags$dt(t(name)), tags$dd(class = "big", text), tags$dd(class = "change", hint)
  )
  ago <- function(age) if (is.na(age)) t("quality.never") else t("quality.ago", span = format_span(age, t))
  time <- function(x) format_local_time(x, context$lang)
  due <- if (is.na(rows$overdue)) {
    tile("quality.next_due", "\u2013", t("quality.unscheduled"))
  } else if (rows$overdue > late_after) {
    tile("quality.next_due", time(rows$next_due), t("quality.late", span = format_span(rows$overdue, t)), "tile late")
  } else {
    tile("quality.next_due", time(rows$next_due), t("quality.on_time"))
  }
  tagList(
    tags$dl(
      class = "tiles",
      tile("quality.newest_event", time(rows$newest_event), ago(rows$newest_event_age)),
      tile("quality.newest_load", time(rows$newest_load), ago(rows$newest_load_age)), due
    ),
    if (rows$stale_hours > 0) hint(t("quality.stale", n = format_number(rows$stale_hours, context$lang)))
  )
}

reject_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("cause", "cause", function(x) data_labels(context$t, "cause", x)), column(
      "rejects", "rejects", number, TRUE
    ),
    column("objects", "objects", number, TRUE), column(
      "newest", "newest", function(x) format_local_time(x, context$lang)
    )
  )
}

plot_causes <- function(context) function(rows) {
  if (nrow(rows) == 0) return(NULL)
  t <- context$t
  labels <- data_labels(t, "cause", rows$cause)
  texts <- format_number(rows$rejects, context$lang)
  plot_bars(labels, rows$rejects, texts, t("groups.alt", title = t("quality.rejects"), name = labels[1], value = texts[1]))
}

warning_columns <- function(context) {
  list(
    column("column_name", "column"), column("cause", "cause", function(x) data_labels(context$t, "repair", x)),
    column("warnings", "warnings", function(x) format_number(x, context$lang), TRUE)
  )
}

plot_warnings <- function(context) function(rows) {
  if (nrow(rows) == 0) return(NULL)
  t <- context$t
  shown <- utils::head(rows, 12)
  labels <- paste0(shown$column_name, " \u00b7 ", data_labels(t, "repair", shown$cause))
  texts <- format_number(shown$warnings, context$lang)
  plot_bars(labels, shown$warnings, texts, t("groups.alt", title = t("quality.warnings"), name = labels[1], value = texts[1]))
}

run_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("started", "started", function(x) format_local_time(x, context$lang)),
    column("trigger", "trigger", function(x) data_labels(context$t, "trigger", x)),
    column("status", "status", function(x) data_labels(context$t, "status", x)),
    column("read", "read", number, TRUE), column("inserted", "inserted", number, TRUE),
    column("duplicates", "duplicates", number, TRUE), column("rejected", "rejects", number, TRUE),
    column("seconds", "seconds", function(x) format_number(x, context$lang, 1), TRUE), column("error", "error")
  )
}
