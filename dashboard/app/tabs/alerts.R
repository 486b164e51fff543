alerts_ui <- function(id, t) {
  tagAppendAttributes(panels(panel_ui(NS(id)("rules"), t, "alerts.rules", table = FALSE) |> wide()), class = "always")
}

alerts_server <- function(id, context) {
  context$ready <- context$reachable
  moduleServer(id, function(input, output, session) {
    t <- context$t
    rules <- context$read("alerts", function() context$state()["tz"], cached = FALSE)
    columns <- alert_columns(context)
    panel_server("rules", context, reactive({
      rows <- rules()
      rows$says <- alert_says(rows, context)
      rows
    }), columns, words = function(rows) {
      raised <- sum(rows$is_raised)
      tagList(
        hint(if (raised > 0) tags$strong(class = "down", t("alerts.raised", n = raised)) else t("alerts.quiet")),
        table_of(rows, columns, t), hint(t("alerts.note"))
      )
    })
  })
}

alert_columns <- function(context) {
  t <- context$t
  time <- function(x) format_local_time(x, context$lang)
  figure <- function(x) ifelse(is.na(x) | x == round(x), format_number(x, context$lang), format_number(x, context$lang, 3))
  list(
    column("is_raised", "status", function(x) ifelse(x, t("alerts.on"), t("alerts.off"))),
    column("rule", "alerts.rule", function(x) data_labels(t, "rule", x)), column("says", "alerts.says"),
    column("value", "alerts.value", figure, TRUE),
    column("expected", "alerts.expected", figure, TRUE),
    column("since", "alerts.since", time), column("evaluated", "alerts.evaluated", time), column("detail", "alerts.detail")
  )
}

#' A rule in words: "Conversion of 24 h: 33.3% less than in the same hours of 4 weeks".
alert_says <- function(rows, context) {
  t <- context$t
  vapply(seq_len(nrow(rows)), function(i) {
    rule <- rows[i, ]
    bound <- if (rule$comparison %in% c("fell_by", "rose_by")) format_share(rule$threshold, context$lang) else format_short(rule$threshold, context$lang)
    t(paste0("alerts.", rule$comparison), metric = t(paste0("alerts.metric.", rule$metric)), hours = rule$hours, weeks = rule$weeks, bound = bound)
  }, "")
}
