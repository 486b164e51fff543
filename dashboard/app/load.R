# Loads the app's files from its own folder and joins them to a Shiny app.

suppressPackageStartupMessages(library(shiny))
# stack traces across promises are three quarters of what a page costs R
options(shiny.deepstacktrace = FALSE)

app_folder <- normalizePath(Sys.getenv("DASHBOARD_APP", "."))
for (part in c("core", "ui", "tabs", "server.R")) {
  path <- file.path(app_folder, part)
  files <- if (dir.exists(path)) list.files(path, "[.]R$", full.names = TRUE) else path
  for (file in files) source(file, encoding = "UTF-8")
}

make_app <- function(warehouse = open_warehouse(read_statements(file.path(app_folder, "sql")))) {
  strings <- read_strings(file.path(app_folder, "strings.csv"))
  # one cache for all visitors: what one has looked at costs the next one nothing
  shinyOptions(cache = cachem::cache_mem(max_size = 32 * 1024^2))
  addResourcePath("assets", file.path(app_folder, "www"))
  words <- lapply(stats::setNames(nm = languages), function(lang) translator(strings, lang))
  bodies <- lapply(words, tab_bodies)
  shinyApp(
    ui = function(request) {
      arrived <- arrive(parseQueryString(request$QUERY_STRING), warehouse)
      lang <- arrived$state$lang
      page_ui(arrived, bodies[[lang]], words[[lang]])
    },
    server = make_server(warehouse, words),
    onStart = function() onStop(warehouse$close)
  )
}
