activity_ui <- function(id, t) {
  tags$div(class = "panels", panel_ui(NS(id)("week"), t, "activity.week", "wide"))
}

activity_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    week <- context$read("activity_week", function() {
      c(context$state()[c("from", "to", "tz", "login", "event")], context$covered())
    })
    panel_server(
      "week", context, week, draw_week(context), week_columns(context), function(rows) all(rows$events == 0)
    )
  })
}

weekday_names <- function(t) vapply(paste0("weekday.", 1:7), t, "", USE.NAMES = FALSE)
clock <- function(hour) sprintf("%02d:00", as.integer(hour))

week_columns <- function(context) {
  list(
    column("weekday", "weekday", function(x) weekday_names(context$t)[x]), column("hour_of_day", "hour", clock),
    column("events", "total.events", function(x) format_number(x, context$lang), TRUE),
    column("days", "days", function(x) format_number(x, context$lang), TRUE)
  )
}

draw_week <- function(context) function(rows) {
  t <- context$t
  mean <- ifelse(rows$days > 0, rows$events / rows$days, 0)
  days <- weekday_names(t)
  tips <- paste0(days[rows$weekday], " ", clock(rows$hour_of_day), ": ", format_number(mean, context$lang, 1))
  peak <- which.max(mean)
  alt <- t(
    "activity.alt", day = days[rows$weekday[peak]], hour = clock(rows$hour_of_day[peak]),
    n = format_number(mean[peak], context$lang, 1)
  )
  short <- vapply(paste0("weekday.short.", 1:7), t, "", USE.NAMES = FALSE)
  tagList(
    chart_week(mean, tips, short, as.character(0:23), alt),
    tags$p(class = "hint", t("activity.note", zone = context$state()$tz), " ", alt),
    tags$div(
      class = "scale", `aria-hidden` = "true", tags$span("0"), tags$span(class = "ramp"),
      tags$span(format_short(max(mean), context$lang))
    ),
    table_behind(table_of(rows, week_columns(context), t, t("activity.week")), t)
  )
}
