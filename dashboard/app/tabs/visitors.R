#' The name of a day, week or month.
day_label <- function(buckets, context, short = FALSE) {
  if (day_bucket(context$state()) == "month") return(paste0(substr(buckets, 6, 7), "/", substr(buckets, 1, 4)))
  format_day(substr(buckets, 1, 10), context$lang, year = !short)
}

visitors_ui <- function(id, t) {
  ns <- NS(id)
  panels(panel_ui(ns("new"), t, "visitors.new", 300) |> wide(), panel_ui(ns("sessions"), t, "visitors.sessions", 260) |> wide())
}

visitors_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    t <- context$t
    number <- function(x) format_number(x, context$lang)
    range <- function() context$state()[c("from", "to", "tz")]
    label <- function(buckets, short = FALSE) day_label(buckets, context, short)
    panel_server(
      "new", context, context$read("visitors_new", function() c(range(), day_bucket(context$state()))),
      list(
        column("bucket", "bucket", label), column("new_visitors", "visitors.first", number, TRUE),
        column("returning_visitors", "visitors.again", number, TRUE)
      ),
      plot = function(rows) {
        series <- lapply(c(first = "new_visitors", again = "returning_visitors"), function(name) {
          key <- t(if (name == "new_visitors") "visitors.first" else "visitors.again")
          list(name = key, data = data_of(rows[[name]], paste0(label(rows$bucket), " \u00b7 ", key, ": ", number(rows[[name]]))))
        })
        total <- sum(rows$new_visitors)
        plot_columns(label(rows$bucket, TRUE), unname(series), t("visitors.new.alt", n = number(total)), stack = "visitors")
      },
      words = function(rows) hint(t("visitors.new.note")),
      nothing = function(rows) all(rows$new_visitors + rows$returning_visitors == 0)
    )
    many <- function(x) ifelse(x == 10, "10+", as.character(x))
    panel_server(
      "sessions", context, context$read("visitors_sessions", function() c(range(), "")),
      list(column("sessions", "total.sessions", many), column("visitors", "total.visitors", number, TRUE)),
      plot = function(rows) {
        share <- format_share(rows$visitors / sum(rows$visitors), context$lang)
        tips <- paste0(vapply(many(rows$sessions), function(n) t("visitors.sessions.tip", n = n), ""), ": ", number(rows$visitors), " \u00b7 ", share)
        plot_columns(
          many(rows$sessions), list(list(name = t("total.visitors"), data = data_of(rows$visitors, tips))),
          t("visitors.sessions.alt", share = share[1])
        )
      },
      words = function(rows) hint(t("visitors.sessions.note"))
    )
  })
}
