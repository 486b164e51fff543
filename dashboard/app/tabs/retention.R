retention_ui <- function(id, t) {
  ns <- NS(id)
  panels(panel_ui(ns("cohorts"), t, "retention.cohorts", 300) |> wide(), panel_ui(ns("curves"), t, "retention.curves", 320) |> wide())
}

retention_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    t <- context$t
    cohorts <- context$read("retention_cohorts", function() context$state()[c("from", "to", "tz", "cohort")])
    rows <- reactive(with_shares(cohorts(), context$covered()))
    day <- function(x, year = TRUE) format_day(x, context$lang, year)
    number <- function(x) format_number(x, context$lang)
    share <- function(x) format_share(x, context$lang)
    after <- function(n) t(paste0("retention.after.", context$state()$cohort), n = n)
    columns <- list(
      column("cohort", "retention.cohort", day), column("size", "retention.size", number, TRUE),
      column("after", "retention.after", number, TRUE), column("visitors", "retention.again", number, TRUE),
      column("share", "retention.share", share, TRUE)
    )
    tips <- function(rows) paste0(
      day(rows$cohort), ", ", vapply(rows$after, after, ""), ": ", number(rows$visitors), " / ", number(rows$size), " \u00b7 ",
      share(rows$share), ifelse(rows$unfinished, paste0(" (", t("unfinished"), ")"), "")
    )
    panel_server("cohorts", context, rows, columns, function(rows) {
      firsts <- unique(rows$cohort)
      reach <- seq_len(max(rows$after, 1)) # after no time at all it is all of them
      at <- match(paste(rep(firsts, each = length(reach)), rep(reach, length(firsts))), paste(rows$cohort, rows$after))
      values <- rows$share[at]
      label <- if (length(reach) <= 14) paste0(round(100 * values), "%")
      size <- rows$size[match(firsts, rows$cohort)]
      plot_heat(
        as.character(reach), paste0(day(firsts, FALSE), " \u00b7 ", format_short(size, context$lang)), values, tips(rows)[at],
        t("retention.alt", n = length(firsts)), label, height = 80 + 26 * length(firsts), least_top = 0.2
      )
    }, function(rows) hint(t(paste0("retention.note.", context$state()$cohort))))
    panel_server("curves", context, rows, columns, function(rows) {
      firsts <- utils::tail(unique(rows$cohort), 8)
      reach <- 0:max(rows$after)
      series <- lapply(firsts, function(first) {
        own <- rows[rows$cohort == first & !rows$unfinished, ]
        at <- match(reach, own$after)
        list(name = day(first, FALSE), data = data_of(own$share[at], ifelse(is.na(at), "", tips(own)[at])))
      })
      plot_lines(as.character(reach), series, t("retention.curves.alt", n = length(firsts)), "share")
    })
  })
}

#' Of each cohort its size, and of each period after it the share that came again; a period that none came again in has a row too.
with_shares <- function(rows, covered) {
  if (nrow(rows) == 0) return(rows)
  rows$size <- rows$visitors[match(paste(rows$cohort, 0), paste(rows$cohort, rows$after))]
  step <- as.integer(as.Date(rows$period_end[1]) - as.Date(rows$cohort[1])) / (rows$after[1] + 1)
  every <- do.call(rbind, lapply(unique(rows$cohort), function(first) {
    last <- floor(as.integer(as.Date(covered) - as.Date(first)) / step)
    data.frame(cohort = first, after = seq(0, max(0, min(last, if (step == 7) 25 else 30))))
  }))
  whole <- merge(every, rows[c("cohort", "after", "visitors")], all.x = TRUE)
  whole$visitors[is.na(whole$visitors)] <- 0
  whole$size <- rows$size[match(whole$cohort, rows$cohort)]
  whole$share <- whole$visitors / whole$size
  whole$unfinished <- paste(as.Date(whole$cohort) + (whole$after + 1) * step, "00:00:00") > covered
  whole[order(whole$cohort, whole$after), ]
}
