activity_ui <- function(id, t) panels(panel_ui(NS(id)("week"), t, "activity.week", 300) |> wide())

activity_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    week <- context$read("activity_week", function() {
      c(context$state()[c("from", "to", "tz", "login", "event")], context$covered())
    })
    panel_server(
      "week", context, week, week_columns(context), plot_week(context), function(rows) {
        hint(context$t("activity.note", zone = context$state()$tz), " ", busiest(rows, context))
      }, function(rows) all(rows$events == 0)
    )
  })
}

weekday_names <- function(t, prefix = "weekday.") vapply(paste0(prefix, 1:7), t, "", USE.NAMES = FALSE)
clock <- function(hour) sprintf("%02d:00", as.integer(hour))
mean_of <- function(rows) ifelse(rows$days > 0, rows$events / rows$days, 0)

week_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("weekday", "weekday", function(x) weekday_names(context$t)[x]), column("hour_of_day", "hour", clock),
    column("events", "total.events", number, TRUE), column("days", "days", number, TRUE)
  )
}

busiest <- function(rows, context) {
  mean <- mean_of(rows)
  peak <- which.max(mean)
  context$t(
    "activity.alt", day = weekday_names(context$t)[rows$weekday[peak]], hour = clock(rows$hour_of_day[peak]),
    n = format_number(mean[peak], context$lang, 1)
  )
}

plot_week <- function(context) function(rows) {
  days <- weekday_names(context$t)
  mean <- mean_of(rows)
  tips <- paste0(days[rows$weekday], " ", clock(rows$hour_of_day), ": ", format_number(mean, context$lang, 1))
  plot_heat(as.character(0:23), weekday_names(context$t, "weekday.short."), mean, tips, busiest(rows, context))
}
