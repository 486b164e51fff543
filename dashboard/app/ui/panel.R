# A panel: a heading, a CSV of what it shows, and a body that is a plot with its table, or words.

panel_ui <- function(id, t, title, class = NULL) {
  ns <- NS(id)
  tags$section(
    class = paste(c("panel", class), collapse = " "), `aria-labelledby` = ns("title"),
    tags$div(
      class = "panel-head",
      tags$h2(id = ns("title"), t(title)),
      tags$a(
        id = ns("csv"), class = "shiny-download-link csv", href = "", target = "_blank", download = NA,
        `aria-label` = t("csv.of", panel = t(title)), t("csv")
      )
    ),
    htmlOutput(ns("body"))
  )
}

notice <- function(text, class = NULL) tags$p(class = paste(c("notice", class), collapse = " "), text)

#' @param rows a reactive data frame (the panel's statement)
#' @param draw function(rows): what the panel shows
#' @param columns the columns of its table and CSV
#' @param nothing function(rows): TRUE where the filters match nothing
panel_server <- function(id, context, rows, draw, columns, nothing = function(rows) nrow(rows) == 0) {
  moduleServer(id, function(input, output, session) {
    t <- context$t
    output$body <- renderUI({
      req(context$ready())
      answer <- tryCatch(rows(), warehouse_down = function(down) {
        message("dashboard: ", id, ": ", conditionMessage(down))
        NULL
      })
      if (is.null(answer)) return(notice(t("state.down"), "bad"))
      tryCatch(if (nothing(answer)) notice(t("state.nothing")) else draw(answer), error = function(fault) {
        if (inherits(fault, "shiny.silent.error")) stop(fault)
        message("dashboard: ", id, ": ", conditionMessage(fault)) # Shiny's own words would be English
        notice(t("state.error"), "bad")
      })
    })
    output$csv <- downloadHandler(
      filename = function() paste0(id, "-", context$state()$from, "-", context$state()$to, ".csv"),
      content = function(file) write_csv(rows(), columns, file),
      contentType = "text/csv; charset=utf-8"
    )
  })
}
