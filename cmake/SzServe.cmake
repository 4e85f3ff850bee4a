# The server: a library that the command links, and tests and fuzz targets where they can.
if(NOT TARGET szilard_products)
  return()
endif()
if(SZ_TOOLS)
  pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
else()
  pkg_check_modules(MICROHTTPD IMPORTED_TARGET libmicrohttpd)
endif()
if(NOT MICROHTTPD_FOUND)
  return()
endif()
file(GLOB serve CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/serve/*.c)
file(GLOB web CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/web/*.html ${CMAKE_SOURCE_DIR}/src/web/*.css
     ${CMAKE_SOURCE_DIR}/src/web/*.js ${CMAKE_SOURCE_DIR}/src/web/*.svg) # the page that it shows
add_custom_command(OUTPUT page_files.c
                   COMMAND ${CMAKE_COMMAND} -D OUT=page_files.c -P ${CMAKE_SOURCE_DIR}/cmake/SzPage.cmake ${web}
                   DEPENDS ${web} ${CMAKE_SOURCE_DIR}/cmake/SzPage.cmake COMMENT "Putting the page into C" VERBATIM)
add_library(szilard_serve STATIC ${serve} ${CMAKE_BINARY_DIR}/page_files.c)
target_include_directories(szilard_serve PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(szilard_serve PUBLIC szilard_products PkgConfig::MICROHTTPD)
